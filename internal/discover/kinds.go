package discover

import (
	"regexp"
	"slices"
	"strings"
)

// everywhere lists where a pod template names images, in objects of any kind. A pattern that
// begins with a dot matches the end of a path.
var everywhere = []string{
	".containers[].image", ".initContainers[].image", ".ephemeralContainers[].image",
	".volumes[].image.reference",
}

// overridable lists the places whose images kustomize replaces.
var overridable = []string{".containers[].image", ".initContainers[].image", ".volumes[].image.reference"}

// kinds lists where objects of known kinds name further images: by the group of the API, or by
// group and kind. A pattern that does not begin with a dot matches a whole path.
var kinds = map[string][]string{
	"monitoring.coreos.com/Prometheus":      {"spec.image", "spec.thanos.image"},
	"monitoring.coreos.com/PrometheusAgent": {"spec.image"},
	"monitoring.coreos.com/Alertmanager":    {"spec.image"},
	"monitoring.coreos.com/ThanosRuler":     {"spec.image"},

	"postgresql.cnpg.io/Cluster":                 {"spec.imageName"},
	"opentelemetry.io/OpenTelemetryCollector":    {"spec.image", "spec.targetAllocator.image"},
	"operators.coreos.com/CatalogSource":         {"spec.image"},
	"operators.coreos.com/ClusterServiceVersion": {"spec.relatedImages[].image"},
	"rabbitmq.com/RabbitmqCluster":               {"spec.image"},
	"sparkoperator.k8s.io/SparkApplication":      {"spec.image", "spec.driver.image", "spec.executor.image"},
	"flink.apache.org/FlinkDeployment":           {"spec.image"},
	"minio.min.io/Tenant":                        {"spec.image"},
	"elasticsearch.k8s.elastic.co":               {"spec.image"},
	"kibana.k8s.elastic.co":                      {"spec.image"},
	"kubevirt.io":                                {".containerDisk.image"},

	"argoproj.io/Workflow":                workflow,
	"argoproj.io/WorkflowTemplate":        workflow,
	"argoproj.io/ClusterWorkflowTemplate": workflow,
	"argoproj.io/CronWorkflow":            workflow,
	"tekton.dev":                          {".steps[].image", ".sidecars[].image", ".stepTemplate.image"},
}

var workflow = []string{".container.image", ".script.image", ".sidecars[].image"}

// opaque lists the kinds in which a field named image is no image: their content is data, or a
// schema.
var opaque = []string{"ConfigMap", "Secret", "CustomResourceDefinition"}

// object is an object of Kubernetes, as far as it matters here.
type object struct {
	group, kind, name string
	depth             int // of its root in the trail
}

// String returns the kind and the name.
func (o object) String() string { return strings.TrimSpace(o.kind + " " + o.name) }

// fillsIn reports whether the object has templates that its controller fills in.
func (o object) fillsIn() bool {
	return o.group == "tekton.dev" || o.group == "argoproj.io" && strings.Contains(o.kind, "Workflow")
}

// isOurs reports whether the object is a document of oras-mirror, which globs may match too.
func (o object) isOurs() bool { return o.group == "oras-mirror" }

// inPodTemplate reports whether a path is one of a pod template.
func inPodTemplate(t trail) bool { return matchesAny(everywhere, t) }

// isKnown reports whether a path of the object names an image, beside those of pod templates.
func (o object) isKnown(t trail) bool {
	return matchesAny(kinds[o.group], t) || matchesAny(kinds[o.group+"/"+o.kind], t)
}

func matchesAny(patterns []string, t trail) bool {
	if len(patterns) == 0 {
		return false
	}
	path := t.pattern()
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		if strings.HasPrefix(pattern, ".") {
			return strings.HasSuffix(path, pattern)
		}
		return path == "."+pattern
	})
}

// isImageKey reports whether a key looks as if its value was an image.
func isImageKey(key string) bool {
	return key == "image" || key == "images" || key == "imageName" || strings.HasSuffix(key, "Image")
}

// imageName matches what looks like an image rather than a word.
var imageName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*(:[0-9]+/|/|:|@)[A-Za-z0-9._/@:-]*[A-Za-z0-9]$`)

func looksLikeImage(s string) bool { return imageName.MatchString(s) && !strings.Contains(s, "//") }
