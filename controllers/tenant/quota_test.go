package tenant

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

func quantity(s string) *resource.Quantity {
	q := resource.MustParse(s)

	return &q
}

func TestQuota(t *testing.T) {
	cases := map[string]struct {
		reason    string
		plan, own *v1alpha1.Quota
		want      map[string]string
	}{
		"None": {
			reason: "What is not limited is not counted, but for what no plan sells.",
			want:   map[string]string{},
		},
		"All": {
			reason: "Every field has its name in the ResourceQuota.",
			plan: &v1alpha1.Quota{
				Containers: new(int64(1)), Replicas: new(int64(2)), PublishedPorts: new(int64(3)), Secrets: new(int64(4)), ConfigMaps: new(int64(5)),
				GitSyncs: new(int64(11)), Jobs: new(int64(12)),
				Requests: &v1alpha1.ComputeQuota{CPU: quantity("6"), Memory: quantity("7Gi")},
				Limits:   &v1alpha1.ComputeQuota{CPU: quantity("8"), Memory: quantity("9Gi")},
				Storage:  quantity("10Gi"), Volumes: new(int64(13)), Snapshots: new(int64(14)), SnapshotStorage: quantity("15Gi"),
			},
			want: map[string]string{
				"count/tenantcontainers.dogker.io": "1", "dogker.io/replicas": "2",
				"dogker.io/published-ports": "3", "dogker.io/secrets": "4", "count/configmaps": "5", "count/gitsyncs.gitops.dogker.io": "11",
				"count/tenantjobs.dogker.io": "12", "count/volumes.dogker.io": "13", "count/volumesnapshots.dogker.io": "14", "dogker.io/snapshot-storage": "15Gi",
				"requests.cpu": "6", "requests.memory": "7Gi", "limits.cpu": "8", "limits.memory": "9Gi", "requests.storage": "10Gi",
			},
		},
		"OwnWins": {
			reason: "A tenant's own quota wins resource by resource, also when it is less, and also zero.",
			plan: &v1alpha1.Quota{
				Containers: new(int64(20)), Replicas: new(int64(40)), PublishedPorts: new(int64(4)),
				Limits: &v1alpha1.ComputeQuota{CPU: quantity("8"), Memory: quantity("8Gi")},
			},
			own: &v1alpha1.Quota{
				Replicas: new(int64(10)), PublishedPorts: new(int64(0)),
				Limits: &v1alpha1.ComputeQuota{Memory: quantity("16Gi")},
			},
			want: map[string]string{
				"count/tenantcontainers.dogker.io": "20", "dogker.io/replicas": "10",
				"dogker.io/published-ports": "0", "limits.cpu": "8", "limits.memory": "16Gi",
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.want["count/serviceaccounts"], tc.want["count/deploytokens.identity.dogker.io"] = "300", "300"
			tc.want["count/gitpreviews.gitops.dogker.io"] = "50"
			tc.want["count/alerts.monitoring.dogker.io"], tc.want["count/receivers.monitoring.dogker.io"] = "200", "50"
			for _, name := range []string{v1alpha1.ResourceGitSyncs, v1alpha1.ResourceJobs, v1alpha1.ResourceSnapshots} {
				if tc.want[name] == "" {
					tc.want[name] = "300"
				}
			}

			got := map[string]string{}
			for name, amount := range hard(effectiveQuota(tc.plan, tc.own)) {
				got[string(name)] = amount.String()
			}

			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestExceeded(t *testing.T) {
	most := corev1.ResourceList{"limits.cpu": *quantity("2"), "dogker.io/replicas": *quantity("3"), "count/configmaps": *quantity("1")}
	used := corev1.ResourceList{"limits.cpu": *quantity("2500m"), "dogker.io/replicas": *quantity("3"), "pods": *quantity("9")}

	if diff := cmp.Diff([]string{"limits.cpu"}, exceeded(most, used)); diff != "" {
		t.Errorf("only what is more than it may be is exceeded (-want +got):\n%s", diff)
	}
}
