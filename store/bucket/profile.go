package bucket

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
)

// readProfile returns the settings of the profile in $AWS_PROFILE, or of the default one, in
// the files of AWS. Credentials are none of them. A file that cannot be read has none.
func readProfile() map[string]string {
	name := cmp.Or(os.Getenv("AWS_PROFILE"), "default")
	settings := make(map[string]string)
	readSection(settings, awsFile("AWS_CONFIG_FILE", "config"), func(section string) bool {
		return section == "profile "+name || section == name && name == "default"
	})
	readSection(settings, awsFile("AWS_SHARED_CREDENTIALS_FILE", "credentials"), func(section string) bool { return section == name })
	return settings
}

// awsFile returns the path of a file of AWS: that in a variable, or the one below ~/.aws.
func awsFile(variable, name string) string {
	home, err := os.UserHomeDir()
	if path := os.Getenv(variable); path != "" || err != nil {
		return path
	}
	return filepath.Join(home, ".aws", name)
}

// readSection adds the region and the endpoint in the sections of a file. The lines below a
// key that begin with a space belong to that key alone.
func readSection(settings map[string]string, path string, match func(section string) bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return
	}
	inside := false
	for line := range strings.Lines(string(data)) {
		if section, ok := strings.CutPrefix(strings.TrimSpace(line), "["); ok {
			section, _, _ = strings.Cut(section, "]")
			inside = match(strings.Join(strings.Fields(section), " "))
			continue
		}
		key, value, found := strings.Cut(line, "=")
		if !inside || !found || strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			continue
		}
		switch key = strings.ToLower(strings.TrimSpace(key)); key {
		case "region", "endpoint_url":
			value, _, _ = strings.Cut(value, " #")
			settings[key] = strings.TrimSpace(value)
		}
	}
}
