package metrics

import (
	"maps"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"github.com/oras-mirror/oras-mirror/engine/shard"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// description has the name and the help of a metric.
type description struct{ name, help string }

// The metrics. All are gauges: they describe the last run and do not grow from run to run.
var (
	lastRun         = description{prefix + "last_run_timestamp_seconds", "When the last run ended, in seconds since 1970."}
	lastSuccess     = description{prefix + "last_success_timestamp_seconds", "When the last run with exit code 0 ended, in seconds since 1970; 0 if there was none."}
	lastExitCode    = description{prefix + "last_run_exit_code", "Exit code of the last run."}
	lastDuration    = description{prefix + "last_run_duration_seconds", "Duration of the last run."}
	lastBytes       = description{prefix + "last_run_transferred_bytes", "Bytes that the last run transferred, or read to verify them."}
	artifacts       = description{prefix + "artifacts", "Artifacts of the last run, also those that failed."}
	failedArtifacts = description{prefix + "failed_artifacts", "Artifacts that failed in the last run."}
	artifactBytes   = description{prefix + "artifact_bytes", "Size of the artifacts of the last run; content that several share counts for each."}

	registrySuccess  = description{prefix + "registry_last_success_timestamp_seconds", "When a run ended in which no artifact of the registry failed, in seconds since 1970; 0 if there was none."}
	registryDuration = description{prefix + "registry_duration_seconds", "Time from the start of the last run until the last artifact of the registry ended."}
	requests         = description{prefix + "registry_requests", "Requests that the last run sent to the registry, with those for tokens and retries."}
)

// The labels.
const (
	labelCommand  = "command"
	labelFile     = "file"     // the name of the metrics file: two files may have the same command
	labelShard    = "shard"    // such as 1/4
	labelRegistry = "registry" // in the name of an artifact, or that got requests
	labelTarget   = "target"   // the registry that an artifact is pushed to
)

// run is a run with its outcome.
type run struct {
	command string
	shard   *shard.Part
	retry   bool
	file    string

	outcome  Outcome
	ended    time.Time
	duration time.Duration
	paces    map[between]time.Duration
}

// counts has the sums over the artifacts between two registries.
type counts struct {
	artifacts, failed int
	bytes             int64
}

func (c counts) plus(other counts) counts {
	return counts{c.artifacts + other.artifacts, c.failed + other.failed, bounds.Sum(c.bytes, other.bytes)}
}

// after returns the metrics of the run, and those before it that it does not replace.
func (r *run) after(before families) families {
	all := r.others(before)
	code := r.outcome.ExitCode
	success := r.formerSuccess(before, lastSuccess)[between{}]
	if code == 0 {
		success = r.seconds()
	}
	r.add(all, lastSuccess, success)
	r.add(all, lastRun, r.seconds())
	r.add(all, lastExitCode, float64(code))
	r.add(all, lastDuration, r.duration.Seconds())
	moved := int64(0)
	if r.outcome.Report != nil {
		moved = r.outcome.Report.Moved
	}
	r.add(all, lastBytes, float64(moved))
	r.addRegistries(all, r.formerSuccess(before, registrySuccess))
	r.addRequests(all)
	return all
}

// addRequests adds the requests to each registry.
func (r *run) addRequests(all families) {
	sent := make(map[between]int, len(r.outcome.Requests))
	for host, n := range r.outcome.Requests {
		sent[between{registry: host}] = n
	}
	for at, n := range folded(sent, folding(sent), func(a, b int) int { return a + b }) {
		r.add(all, requests, float64(n), labelRegistry, at.registry)
	}
}

// addRegistries adds the metrics of each pair of registries. former has their last successes.
func (r *run) addRegistries(all families, former map[between]float64) {
	sums := r.sums()
	fold := folding(sums)
	sums = folded(sums, fold, counts.plus)
	paces := folded(r.paces, fold, func(a, b time.Duration) time.Duration { return max(a, b) })
	success := make(map[between]float64)
	if report := r.outcome.Report; report == nil || !report.Planned || r.retry {
		maps.Copy(success, former) // the run did not see all of them
	}
	for at, sum := range sums {
		success[at] = formerOf(former, at)
		if sum.failed == 0 && r.outcome.Committed {
			success[at] = r.seconds()
		}
		labels := []string{labelRegistry, at.registry, labelTarget, at.target}
		r.add(all, artifacts, float64(sum.artifacts), labels...)
		r.add(all, failedArtifacts, float64(sum.failed), labels...)
		r.add(all, artifactBytes, float64(sum.bytes), labels...)
		if d, measured := paces[at]; measured {
			r.add(all, registryDuration, d.Seconds(), labels...)
		}
	}
	for at, when := range success {
		r.add(all, registrySuccess, when, labelRegistry, at.registry, labelTarget, at.target)
	}
}

// formerOf returns the last success of a registry with a target. An artifact that fails before its
// target is known has none. Then it returns the earliest success of the registry with any target:
// the artifact counted for one of them before.
func formerOf(former map[between]float64, at between) float64 {
	when, known := former[at]
	if known || at.target != "" {
		return when
	}
	for other, success := range former {
		if other.registry == at.registry && (!known || success < when) {
			when, known = success, true
		}
	}
	return when
}

// sums counts the artifacts of the run.
func (r *run) sums() map[between]counts {
	sums := make(map[between]counts)
	if r.outcome.Report == nil {
		return sums
	}
	for _, a := range r.outcome.Report.Artifacts {
		one := counts{artifacts: 1, bytes: a.Bytes}
		if a.Err != nil {
			one.failed = 1
		}
		at := betweenOf(a)
		sums[at] = sums[at].plus(one)
	}
	return sums
}

// add adds a metric of this run.
func (r *run) add(all families, d description, value float64, labels ...string) {
	own := []string{labelCommand, r.command, labelFile, r.file, labelShard, r.shardName()}
	all.add(d, value, slices.Concat(own, labels)...)
}

func (r *run) seconds() float64 { return float64(r.ended.Unix()) }

func (r *run) shardName() string {
	if r.shard == nil {
		return ""
	}
	return r.shard.String()
}

// others returns the metrics of other commands, and of the other shards of this plan. They
// get the name of this file, which may have been renamed.
func (r *run) others(before families) families {
	kept := make(families)
	for name, family := range before {
		var metrics []*dto.Metric
		for _, m := range family.Metric {
			if r.isOther(m) {
				rename(m, r.file)
				metrics = append(metrics, m)
			}
		}
		if len(metrics) > 0 {
			kept[name] = &dto.MetricFamily{Name: family.Name, Help: family.Help, Type: family.Type, Metric: metrics}
		}
	}
	return kept
}

// isOther reports whether a metric is of another command, or of another shard among as many.
func (r *run) isOther(m *dto.Metric) bool {
	if labelOf(m, labelCommand) != r.command {
		return true
	}
	own, other := r.shardName(), labelOf(m, labelShard)
	_, ofOwn, _ := strings.Cut(own, "/")
	_, ofOther, _ := strings.Cut(other, "/")
	return own != other && own != "" && ofOwn == ofOther
}

// rename sets the label of the file.
func rename(m *dto.Metric, file string) {
	for _, l := range m.Label {
		if l.GetName() == labelFile {
			l.Value = proto.String(file)
		}
	}
}

// formerSuccess returns the last successes of this command and shard before the run.
func (r *run) formerSuccess(before families, d description) map[between]float64 {
	former := make(map[between]float64)
	family := before[d.name]
	if family == nil {
		return former
	}
	for _, m := range family.Metric {
		if labelOf(m, labelCommand) == r.command && labelOf(m, labelShard) == r.shardName() {
			at := between{labelOf(m, labelRegistry), labelOf(m, labelTarget)}
			former[at] = max(former[at], m.GetGauge().GetValue())
		}
	}
	return former
}
