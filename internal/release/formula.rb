class OrasMirror < Formula
  desc "{{.Description}}"
  homepage "{{.Homepage}}"
  version "{{.Version}}"
  license "Apache-2.0"
{{range .Systems}}
  on_{{.Name}} do
{{- range .Archives}}
    on_{{.CPU}} do
      url "{{.URL}}"
      sha256 "{{.Sum}}"
    end
{{- end}}
  end
{{end}}
  def install
    bin.install "oras-mirror"
    man1.install "oras-mirror.1"
    bash_completion.install "completion/oras-mirror.bash" => "oras-mirror"
    zsh_completion.install "completion/_oras-mirror"
    fish_completion.install "completion/oras-mirror.fish"
  end

  test do
    assert_match "oras-mirror {{.Tag}} ", shell_output("#{bin}/oras-mirror version")
  end
end
