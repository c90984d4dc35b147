package export_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/internal/export"
)

// served is the metadata of an object as a server gives it out.
func served(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: name, Namespace: "acme", UID: "1", Generation: 4, CreationTimestamp: metav1.NewTime(time.Unix(1, 0)),
		Labels:     map[string]string{"tier": "front", "gitops.dogker.io/name": "shop", "gitops.dogker.io/namespace": "acme"},
		Finalizers: []string{v1alpha1.Finalizer},
		Annotations: map[string]string{
			"kubectl.kubernetes.io/last-applied-configuration": "{}", "billing.dogker.io/suspend": "no money",
			gitopsv1.AnnotationRequestedAt: "1", v1alpha1.AnnotationRestartedAt: "2026-01-01T00:00:00Z", v1alpha1.AnnotationChangeCause: "first",
		},
	}
}

func owned(name string) metav1.ObjectMeta {
	meta := served(name)
	meta.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "X", Name: "x", UID: "2", Controller: new(true)}}

	return meta
}

// full is a container as it comes back: with all that the schema and the plan have filled in.
func full() *v1alpha1.TenantContainer {
	tc := &v1alpha1.TenantContainer{ObjectMeta: served("web")}
	tc.Spec = v1alpha1.TenantContainerSpec{
		Image: "web:1", ImagePullPolicy: v1alpha1.PullIfNotPresent, Mode: v1alpha1.ModeReplicated, Replicas: new(int32(2)),
		RevisionHistoryLimit: new(int32(10)), TerminationGracePeriodSeconds: new(int64(45)),
		Ports:       []v1alpha1.Port{{ContainerPort: 80, Protocol: "TCP"}, {ContainerPort: 53, Protocol: "UDP"}},
		HealthCheck: &v1alpha1.HealthCheck{TCPSocket: &v1alpha1.TCPCheck{Port: 80}, PeriodSeconds: new(int32(10)), TimeoutSeconds: new(int32(9))},
		Security:    &v1alpha1.Security{Capabilities: &v1alpha1.Capabilities{Drop: []string{"ALL"}}},
	}
	tc.Status.Tasks = "2/2"

	return tc
}

const cleanContainer = `apiVersion: dogker.io/v1alpha1
kind: TenantContainer
metadata:
  annotations:
    kubernetes.io/change-cause: first
  labels:
    tier: front
  name: web
  namespace: acme
spec:
  healthCheck:
    tcpSocket:
      port: 80
    timeoutSeconds: 9
  image: web:1
  ports:
  - containerPort: 80
  - containerPort: 53
    protocol: UDP
  replicas: 2
  security:
    capabilities:
      drop:
      - ALL
  terminationGracePeriodSeconds: 45
`

const cleanConfigMap = `apiVersion: v1
data:
  a: b
kind: ConfigMap
metadata:
  annotations:
    kubernetes.io/change-cause: first
  labels:
    tier: front
  name: settings
  namespace: acme
---
`

const cleanSecret = `apiVersion: v1
data:
  password: cHc=
kind: Secret
metadata:
  annotations:
    kubernetes.io/change-cause: first
  labels:
    tier: front
  name: database
  namespace: acme
type: Opaque
---
`

const cleanSync = `---
apiVersion: gitops.dogker.io/v1alpha1
kind: GitSync
metadata:
  name: shop
  namespace: acme
spec:
  interval: 1m0s
  prune: true
  url: https://git.example.com/acme/shop
`

// sync is a GitSync as a server gives it out.
func sync() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": gitopsv1.GroupVersion.String(), "kind": "GitSync",
		"metadata": map[string]any{"name": "shop", "namespace": "acme", "finalizers": []any{gitopsv1.FinalizerGitSync}},
		"spec": map[string]any{
			"url": "https://git.example.com/acme/shop", "prune": true, "interval": "1m",
			"timeout": "3m", "serviceAccountName": gitopsv1.AccountName, "deletionPolicy": "MirrorPrune",
		},
		"status": map[string]any{"objects": int64(1), "inventory": map[string]any{"entries": []any{}}},
	}}
}

const cleanAutomation = `---
apiVersion: gitops.dogker.io/v1alpha1
kind: ImagePolicy
metadata:
  name: web
  namespace: acme
spec:
  image: registry.example.com/acme/web
  policy:
    semver:
      range: 1.x
---
apiVersion: gitops.dogker.io/v1alpha1
kind: GitPreview
metadata:
  name: shop
  namespace: acme
spec:
  branches:
    include:
    - feature/**
  template:
    path: deploy
  url: https://git.example.com/acme/shop
---
apiVersion: monitoring.dogker.io/v1alpha1
kind: Alert
metadata:
  name: memory
  namespace: acme
spec:
  threshold:
    metric: memory
    value: 80Mi
`

// automation is what follows images and branches, as a server gives it out.
func automation() []client.Object {
	return []client.Object{
		&unstructured.Unstructured{Object: map[string]any{
			"apiVersion": gitopsv1.GroupVersion.String(), "kind": "ImagePolicy",
			"metadata": map[string]any{"name": "web", "namespace": "acme"},
			"spec": map[string]any{
				"image": "registry.example.com/acme/web", "policy": map[string]any{"semver": map[string]any{"range": "1.x"}},
				"interval": "5m", "serviceAccountName": gitopsv1.AccountName,
			},
			"status": map[string]any{"latestTag": "1.5.0"},
		}},
		&unstructured.Unstructured{Object: map[string]any{
			"apiVersion": gitopsv1.GroupVersion.String(), "kind": "GitPreview",
			"metadata": map[string]any{"name": "shop", "namespace": "acme", "finalizers": []any{gitopsv1.FinalizerGitPreview}},
			"spec": map[string]any{
				"url": "https://git.example.com/acme/shop", "branches": map[string]any{"include": []any{"feature/**"}},
				"ttl": "72h", "interval": "2m", "serviceAccountName": gitopsv1.AccountName,
				"template": map[string]any{"path": "deploy", "interval": "10m", "timeout": "3m"},
			},
			"status": map[string]any{"active": int64(1)},
		}},
		&unstructured.Unstructured{Object: map[string]any{
			"apiVersion": monitoringv1.GroupVersion.String(), "kind": "Alert",
			"metadata": map[string]any{"name": "memory", "namespace": "acme", "annotations": map[string]any{monitoringv1.AnnotationHeartbeat: "1"}},
			"spec": map[string]any{
				"threshold":     map[string]any{"metric": "memory", "operator": ">", "value": "80Mi"},
				"keepFiringFor": "5m0s", "groupWait": "30s", "severity": "warning", "topic": "Alerts",
			},
		}},
		// Nobody has declared this one.
		&unstructured.Unstructured{Object: map[string]any{
			"apiVersion": monitoringv1.GroupVersion.String(), "kind": "Alert",
			"metadata": map[string]any{
				"name": monitoringv1.ContainersAlert, "namespace": "acme", "generation": int64(1), "labels": map[string]any{v1alpha1.LabelTenant: "acme"},
			},
			"spec": map[string]any{"condition": map[string]any{"kind": "TenantContainer"}},
		}},
	}
}

const cleanVolume = `apiVersion: dogker.io/v1alpha1
kind: Volume
metadata:
  name: data
  namespace: acme
spec:
  className: local
  reclaimPolicy: Delete
  size: 1Gi
  snapshots:
    hooks:
      pre:
        command:
        - redis-cli
        - SAVE
    quiesce: Pause
    schedule: '@daily'
---
`

const cleanJob = `---
apiVersion: dogker.io/v1alpha1
kind: TenantJob
metadata:
  name: report
  namespace: acme
spec:
  schedule: 30 2 * * *
  template:
    image: shop:1
`

// work are data, what was made of it, and a job, as a server gives them out.
func work() []client.Object {
	object := func(kind, name string, spec map[string]any) client.Object {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": v1alpha1.GroupVersion.String(), "kind": kind, "spec": spec,
			"metadata": map[string]any{"name": name, "namespace": "acme", "finalizers": []any{"dogker.io/held"}},
			"status":   map[string]any{"observedGeneration": int64(1)},
		}}
	}

	return []client.Object{
		object("Volume", "data", map[string]any{
			"className": "local", "size": "1Gi", "reclaimPolicy": "Delete", "restoreFrom": "monday",
			"snapshots": map[string]any{
				"schedule": "@daily", "keep": int64(7), "quiesce": "Pause",
				"hooks": map[string]any{"pre": map[string]any{"command": []any{"redis-cli", "SAVE"}, "timeoutSeconds": int64(30), "onError": "Fail"}},
			},
		}),
		object("VolumeSnapshot", "monday", map[string]any{"className": "nightly", "source": map[string]any{"volumeName": "data"}}),
		object("TenantJob", "report", map[string]any{
			"schedule": "30 2 * * *", "concurrencyPolicy": "Allow", "template": map[string]any{"image": "shop:1", "imagePullPolicy": "IfNotPresent"},
		}),
	}
}

func TestRead(t *testing.T) {
	elsewhere := full()
	elsewhere.Namespace = "other"
	objects := []client.Object{
		full(), elsewhere, sync(),
		&corev1.ConfigMap{ObjectMeta: served("settings"), Data: map[string]string{"a": "b"}},
		&corev1.ConfigMap{ObjectMeta: served("kube-root-ca.crt")},
		&corev1.ConfigMap{ObjectMeta: owned("made")},
		&corev1.ConfigMap{ObjectMeta: served("dogker-set-shop"), Data: map[string]string{"inventory": "[]"}},
		&corev1.Secret{ObjectMeta: served("database"), Type: corev1.SecretTypeOpaque, Data: map[string][]byte{"password": []byte("pw")}},
		&corev1.Secret{ObjectMeta: served("token"), Type: corev1.SecretTypeServiceAccountToken},
		&corev1.Secret{ObjectMeta: owned("issued")},
	}
	objects = append(objects, append(automation(), work()...)...)
	cases := map[string]struct {
		reason  string
		secrets bool
		want    string
		leftOut []string
	}{
		"WithoutSecrets": {
			reason: "What is committed holds no secrets, and whoever exports is told which are missing. What was done is not done again.",
			want:   cleanConfigMap + cleanVolume + cleanContainer + cleanJob + cleanSync + cleanAutomation, leftOut: []string{"database"},
		},
		"WithSecrets": {
			reason: "Secrets that people have made are written when asked for; those of servers never.", secrets: true,
			want: cleanConfigMap + cleanSecret + cleanVolume + cleanContainer + cleanJob + cleanSync + cleanAutomation,
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			scheme := runtime.NewScheme()
			if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme), gitopsv1.AddToScheme(scheme), monitoringv1.AddToScheme(scheme)); err != nil {
				t.Fatal(err)
			}
			var copies []client.Object
			for _, o := range objects {
				copies = append(copies, o.DeepCopyObject().(client.Object))
			}
			c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(copies...).Build()
			out, err := export.Read(t.Context(), c, export.Options{Namespace: "acme", Secrets: tc.secrets})
			if err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			if err := out.WriteYAML(&text); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, text.String()); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.leftOut, out.LeftOut); diff != "" {
				t.Errorf("%s\nleft out, -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}
