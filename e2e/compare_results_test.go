package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"
)

// figures are the measurements of one turn of one contender.
type figures struct {
	Seconds  float64        `json:"seconds"`
	CPU      float64        `json:"cpu"`               // seconds
	Memory   int64          `json:"memory"`            // bytes, the most that one of its processes had
	Traffic  int64          `json:"traffic,omitempty"` // bytes to and from all servers; 0: not measured
	Requests map[string]int `json:"requests"`
}

// add adds a step to a turn.
func (f *figures) add(one figures) {
	f.Seconds += one.Seconds
	f.CPU += one.CPU
	f.Memory = max(f.Memory, one.Memory)
	f.Traffic += one.Traffic
	f.count("", one.Requests)
}

// count adds the requests that a server got. The kinds of those to another server
// than the source begin with its name.
func (f *figures) count(server string, requests map[string]int) {
	if f.Requests == nil {
		f.Requests = make(map[string]int)
	}
	for kind, n := range requests {
		f.Requests[server+kind] += n
	}
}

// results are those of all turns, by contender.
type results map[string][]figures

// measurement has the figures of a work, with the day and the machine.
type measurement struct {
	Date    string  `json:"date"`
	Machine string  `json:"machine"`
	Note    string  `json:"note,omitempty"` // about the figures
	Results results `json:"results"`
}

// newMeasurement describes results of today and of this machine. Seconds are
// rounded, since the document is made of what is in the file.
func newMeasurement(r results) measurement {
	for _, turns := range r {
		for i := range turns {
			turns[i].Seconds = math.Round(turns[i].Seconds*1e4) / 1e4
			turns[i].CPU = math.Round(turns[i].CPU*1e4) / 1e4
		}
	}
	return measurement{
		Date:    time.Now().UTC().Format(time.DateOnly),
		Machine: fmt.Sprintf("%d cores, %s of memory, %s/%s, %s", runtime.NumCPU(), installedMemory(), runtime.GOOS, runtime.GOARCH, runtime.Version()),
		Results: r,
	}
}

// installedMemory is the machine's, where that can be found out.
func installedMemory() string {
	data, _ := os.ReadFile("/proc/meminfo") // absent but on Linux
	var kibibytes int
	if _, err := fmt.Sscanf(string(data), "MemTotal: %d kB", &kibibytes); err != nil {
		return "an unknown amount"
	}
	return fmt.Sprintf("%d GiB", (kibibytes+1<<19)>>20)
}

// loadMeasurements reads benchmarks.json, by the short names of works. There are none
// before the first.
func loadMeasurements(t *testing.T, folder string) map[string]measurement {
	t.Helper()
	all := make(map[string]measurement)
	data, err := os.ReadFile(filepath.Join(folder, "benchmarks.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return all
	}
	if err == nil {
		err = json.Unmarshal(data, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func saveMeasurements(t *testing.T, folder string, all map[string]measurement) {
	t.Helper()
	data, err := json.MarshalIndent(all, "", " ")
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "benchmarks.json"), append(data, '\n'), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// seconds returns those of all turns of a contender, and their median.
func (r results) seconds(name string) (all []float64, middle float64) {
	for _, f := range r[name] {
		all = append(all, f.Seconds)
	}
	return all, median(all)
}

// memory returns the most that a contender had, in bytes.
func (r results) memory(name string) int64 {
	var peak int64
	for _, f := range r[name] {
		peak = max(peak, f.Memory)
	}
	return peak
}

// ratio is the median of the rounds' ratios of two contenders: noise that lasts
// longer than a round is in both. It is false if either is not measured.
func (r results) ratio(a, b string, factor float64) (float64, bool) {
	var all []float64
	for i := range min(len(r[a]), len(r[b])) {
		all = append(all, factor*r[a][i].Seconds/r[b][i].Seconds)
	}
	return median(all), len(all) > 0
}

func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	all = slices.Sorted(slices.Values(all))
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}
