package discover

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// lines shows what is found, a line each: images as NAME FILE:LINE, skipped fields with a "-",
// faults with a "!".
func lines(f *Found) []string {
	var all []string
	for _, i := range f.Images {
		all = append(all, fmt.Sprintf("%s %s:%d", i.Name, i.File, i.Line))
	}
	for _, s := range f.Skipped {
		all = append(all, strings.TrimSpace(fmt.Sprintf("- %s:%d %s: %s %s (%s)", s.File, s.Line, s.Object, s.Path, s.Name, s.Reason)))
	}
	for _, x := range f.Faults {
		all = append(all, fmt.Sprintf("! %s:%d:%d %s: %s: %v", x.File, x.Line, x.Column, x.Object, x.Path, x.Err))
	}
	return all
}

func check(t *testing.T, files []File, want ...string) {
	t.Helper()
	if got := lines(Find(slices.Values(files))); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func findIn(text string) *Found { return Find(slices.Values([]File{{Name: "f", Data: []byte(text)}})) }

// archive divides a text into files at lines of "== NAME".
func archive(text string) []File {
	var files []File
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(line, "== "); ok {
			files = append(files, File{Name: strings.TrimSpace(name)})
			continue
		}
		f := &files[len(files)-1]
		f.Data = append(f.Data, line...)
	}
	return files
}

// TestShapes finds images in the shapes that manifests have.
func TestShapes(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"a deployment": {`apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      initContainers:
      - {name: a, image: busybox}
      containers:
      - name: b
        image: "nginx:1.25"
      - {name: c, image: 'ghcr.io/acme/app@sha256:11'}
      ephemeralContainers: [{image: d:1}]
      volumes:
      - {name: v, image: {reference: quay.io/acme/model:v1, pullPolicy: Always}}
      - {name: w, image: {pullPolicy: Always}}
`, "busybox f:8|nginx:1.25 f:11|ghcr.io/acme/app@sha256:11 f:12|d:1 f:13|quay.io/acme/model:v1 f:15"},
		"a cron job":        {"apiVersion: batch/v1\nkind: CronJob\nspec: {jobTemplate: {spec: {template: {spec: {containers: [{image: a:1}]}}}}}", "a:1 f:3"},
		"a pod":             {"apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: a:1", "a:1 f:5"},
		"a rollout":         {"apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nspec: {template: {spec: {containers: [{image: a:1}]}}}", "a:1 f:3"},
		"a scaled job":      {"apiVersion: keda.sh/v1alpha1\nkind: ScaledJob\nspec: {jobTargetRef: {template: {spec: {containers: [{image: a:1}]}}}}", "a:1 f:3"},
		"a list":            {"apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, spec: {containers: [{image: a:1}]}}\n- {apiVersion: v1, kind: ConfigMap, data: {image: b:1}}", "a:1 f:4"},
		"a deployment list": {"apiVersion: apps/v1\nkind: DeploymentList\nitems:\n- spec: {template: {spec: {containers: [{image: a:1}]}}}", "a:1 f:4"},
		"documents":         {"---\n# nothing\n---\nkind: Pod\nspec: {containers: [{image: a:1}]}\n---\n\n---\nkind: Pod\nspec: {containers: [{image: b:1}]}\n...\n", "a:1 f:5|b:1 f:10"},
		"windows":           {"\ufeffkind: Pod\r\nspec:\r\n  containers:\r\n  - image: a:1\r\n---\r\nspec:\r\n  containers:\r\n  - image: b:1\r\n", "a:1 f:4|b:1 f:8"},
		"json":              {"{\n\t\"kind\": \"List\",\n\t\"items\": [\n\t\t{\"spec\": {\"containers\": [{\"image\": \"a:1\"}]}}\n\t]\n}\n{\"spec\": {\"containers\": [{\"image\": \"b\\/c:1\"}]}}\n", "a:1 f:4|b/c:1 f:7"},
		"aliases":           {"x: &image a:1\ny: &c {image: b:1}\nspec:\n  containers:\n  - {name: a, image: *image}\n  - *c\n  - {<<: *c, name: d}\n  - {<<: [*c], image: e:1}\n", "a:1 f:1|b:1 f:2|e:1 f:8"},
		"a list alias":      {"x: &all [{image: a:1}]\nspec: {containers: *all}\n", "a:1 f:1"},
		"empty":             {"", ""},
		"only comments":     {"# image: a:1\n---\n# kind: Pod\n", ""},
		"no image":          {"kind: Pod\nspec: {containers: [{name: a}, {image: }, {image: ''}]}", ""},
		"config maps":       {"apiVersion: v1\nkind: ConfigMap\ndata:\n  pod.yaml: |\n    kind: Pod\n    spec: {containers: [{image: a:1}]}\n  image: quay.io/a:1\n---\napiVersion: v1\nkind: Secret\nstringData: {image: quay.io/a:1}\n", ""},
		"a definition":      {"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {versions: [{schema: {containers: {items: {image: {default: quay.io/a:1}}}}}]}", ""},
		"our own":           {"apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsources: [{image: a/b:1}]", ""},
		"a number":          {"kind: Pod\nspec:\n  containers:\n  - image: 1.25\n", `! f:4:12 Pod: spec.containers[0].image: 1.25 is not the name of an image; put it in quotes: "1.25"`},
		"not a string":      {"kind: Pod\nspec: {containers: [{image: {repository: a, tag: 1}}, {image: [b]}]}", "- f:2 Pod: spec.containers[0].image a:1 (it is not a string)|- f:2 Pod: spec.containers[1].image  (it is not a string)"},
		"a running pod":     {"apiVersion: v1\nkind: Pod\nmetadata: {annotations: {image: quay.io/a:1}}\nspec: {containers: [{image: a:1}]}\nstatus: {containerStatuses: [{image: quay.io/a:1}]}", "a:1 f:4"},
		"ko":                {"kind: Pod\nspec: {containers: [{image: ko://github.com/acme/app}]}", `! f:2:29 Pod: spec.containers[0].image: "ko://github.com/acme/app": an image that ko builds`},
		"istio":             {"kind: Pod\nspec: {containers: [{image: auto}]}", "- f:2 Pod: spec.containers[0].image auto (a webhook, such as that of Istio, replaces it)"},
		"a patch":           {"- op: replace\n  path: /spec/template/spec/containers/0/image\n  value: a:1\n- op: add\n  path: /spec/containers/-\n  value: {image: b:1}\n- op: remove\n  path: /metadata/annotations/a~1b\n- {op: replace, path: /spec/image, value: quay.io/c:1}", "a:1 f:3|b:1 f:6|- f:9 : spec.image quay.io/c:1 ()"},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(lines(findIn(test.text)), "|")
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// TestKinds finds the images of operators, and reports fields of kinds that it does not know.
func TestKinds(t *testing.T) {
	check(t, archive(`== a.yaml
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: k8s}
spec:
  image: quay.io/prometheus/prometheus:v3.1.0
  thanos: {image: quay.io/thanos/thanos:v0.37.2}
  containers: [{name: x, image: busybox:1}]
---
apiVersion: monitoring.coreos.com/v1
kind: Alertmanager
spec: {image: quay.io/prometheus/alertmanager:v0.28.0}
---
apiVersion: monitoring.coreos.com/v1
kind: ThanosRuler
spec: {image: quay.io/thanos/thanos:v0.37.2}
---
apiVersion: kubevirt.io/v1
kind: VirtualMachine
spec: {template: {spec: {volumes: [{containerDisk: {image: quay.io/containerdisks/fedora:41}}]}}}
---
apiVersion: grafana.integreatly.org/v1beta1
kind: Grafana
metadata: {name: main}
spec:
  image: docker.io/grafana/grafana:11
  logoImage: logo
  sidecarImage: quay.io/kiwigrid/sidecar:1
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {generateName: app-}
spec:
  values:
    image: {registry: ghcr.io, repository: acme/app, tag: v1}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
spec:
  images: [{name: nginx, newName: ghcr.io/acme/nginx, newTag: "2"}]
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
spec:
  templates:
  - {container: {image: alpine:3}}
  - {script: {image: "{{inputs.parameters.image}}"}}
---
apiVersion: tekton.dev/v1
kind: Task
spec:
  steps: [{image: $(params.builder)}, {image: golang:1.25}]
---
services:
  web: {image: "nginx:1.25"}
`),
		"quay.io/prometheus/prometheus:v3.1.0 a.yaml:5",
		"quay.io/thanos/thanos:v0.37.2 a.yaml:6",
		"busybox:1 a.yaml:7",
		"quay.io/prometheus/alertmanager:v0.28.0 a.yaml:11",
		"quay.io/thanos/thanos:v0.37.2 a.yaml:15",
		"quay.io/containerdisks/fedora:41 a.yaml:19",
		"alpine:3 a.yaml:45",
		"golang:1.25 a.yaml:51",
		"- a.yaml:25 Grafana main: spec.image docker.io/grafana/grafana:11 ()",
		"- a.yaml:27 Grafana main: spec.sidecarImage quay.io/kiwigrid/sidecar:1 ()",
		"- a.yaml:34 HelmRelease app-: spec.values.image ghcr.io/acme/app:v1 ()",
		"- a.yaml:39 Kustomization: spec.images[0] ghcr.io/acme/nginx:2 ()",
		"- a.yaml:46 Workflow: spec.templates[1].script.image {{inputs.parameters.image}} (its controller fills it in)",
		"- a.yaml:51 Task: spec.steps[0].image $(params.builder) (its controller fills it in)",
		"- a.yaml:54 : services.web.image nginx:1.25 ()")
}

// TestFaults reports what is not a manifest, with its line, and reads the rest.
func TestFaults(t *testing.T) {
	check(t, archive(`== helm.yaml
{{- if .Values.enabled }}
kind: Pod
spec: {containers: [{image: a:1}]}
{{- end }}
== inner.yaml
kind: Pod
spec:
  containers:
  - image: {{ .Values.image }}
  - image: "{{ .Values.image }}:{{ .Values.tag }}"
  - image: {{ .Values.a }}:{{ .Values.b }}
== notes.yaml
Some notes.
== variables.yaml
kind: Pod
metadata: {name: a}
spec:
  containers:
  - image: ghcr.io/acme/app:${TAG}
  - image: $IMAGE
  - image: b:1
== broken.yaml
kind: Pod
spec:
  containers: [
---
kind: Pod
spec: {containers: [{image: c:1}]}
`),
		"b:1 variables.yaml:7",
		"c:1 broken.yaml:6",
		"! broken.yaml:3:3 : : invalid YAML: did not find expected node content",
		"! helm.yaml:1:1 : : a template, not a manifest: invalid YAML: did not find expected node content",
		"! inner.yaml:6:3 : : a template, not a manifest: invalid YAML: did not find expected key",
		"! notes.yaml:1:1 : : not a manifest: expected a mapping",
		`! variables.yaml:5:12 Pod a: spec.containers[0].image: "ghcr.io/acme/app:${TAG}": a variable in the name of an image`,
		`! variables.yaml:6:12 Pod a: spec.containers[1].image: "$IMAGE": a variable in the name of an image`)
	check(t, archive("== a.yaml\nkind: Pod\nspec:\n  containers:\n  - image: {{ .Values.image }}\n  - image: '{{ .Values.image }}'\n"),
		`! a.yaml:4:12 Pod: spec.containers[0].image: "{{ ... }}": a template, not the name of an image`,
		`! a.yaml:5:12 Pod: spec.containers[1].image: "{{ .Values.image }}": a template, not the name of an image`)
}

// TestAliasBomb reads a few bytes that unfold to billions of values.
func TestAliasBomb(t *testing.T) {
	for name, text := range map[string]string{
		"values": bomb("[%s]"), "merges": bomb("{<<: [%s]}"), "a cycle": "a: &a {b: *a}", "a merged cycle": "a: &a {<<: *a}",
	} {
		f := findIn(text)
		if len(f.Faults) != 1 || f.Faults[0].Err != errUnfolds || f.Faults[0].Line == 0 {
			t.Errorf("%s: got %v", name, lines(f))
		}
	}
}

func bomb(form string) string {
	var b strings.Builder
	b.WriteString("a: &a0 {image: a/b}\n")
	for i := range 12 {
		alias := strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 9), ", ")
		fmt.Fprintf(&b, "b%d: &a%d %s\n", i, i+1, fmt.Sprintf(form, alias))
	}
	return b.String()
}

// BenchmarkTenThousandDocuments reads the manifests of a large cluster.
func BenchmarkTenThousandDocuments(b *testing.B) {
	data := documents(10_000)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if n := len(findIn(string(data)).Images); n != 20_000 {
			b.Fatal(n)
		}
	}
}

func documents(n int) []byte {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `---
# Source: app/templates/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-%d
  labels:
    app.kubernetes.io/name: app
    app.kubernetes.io/instance: app-%d
spec:
  replicas: 3
  selector:
    matchLabels:
      app.kubernetes.io/name: app
  template:
    metadata:
      labels:
        app.kubernetes.io/name: app
    spec:
      initContainers:
        - name: init
          image: "docker.io/library/busybox:1.%d"
          command: ["sh", "-c", "until nslookup db; do sleep 1; done"]
      containers:
        - name: app
          image: "ghcr.io/acme/app-%d:v1.2.3"
          ports:
            - name: http
              containerPort: 8080
              protocol: TCP
          livenessProbe:
            httpGet: {path: /healthz, port: http}
          resources:
            limits: {cpu: 100m, memory: 128Mi}
          env:
            - name: POD
              valueFrom: {fieldRef: {fieldPath: metadata.name}}
`, i, i, i, i)
	}
	return []byte(b.String())
}
