package quota

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// shelf holds one quota, as the API server does.
type shelf struct {
	corev1client.ResourceQuotaInterface
	stored *corev1.ResourceQuota
}

func (s *shelf) ResourceQuotas(string) corev1client.ResourceQuotaInterface { return s }

func (s *shelf) Get(context.Context, string, metav1.GetOptions) (*corev1.ResourceQuota, error) {
	return s.stored.DeepCopy(), nil
}

func (s *shelf) UpdateStatus(_ context.Context, q *corev1.ResourceQuota, _ metav1.UpdateOptions) (*corev1.ResourceQuota, error) {
	if q.ResourceVersion != s.stored.ResourceVersion {
		return nil, apierrors.NewConflict(corev1.Resource("resourcequotas"), q.Name, nil)
	}
	s.stored = q.DeepCopy()
	s.stored.ResourceVersion += "+"

	return s.stored.DeepCopy(), nil
}

func (s *shelf) used() int64 {
	n := s.stored.Status.Used[v1alpha1.ResourceReplicas]

	return n.Value()
}

func counted(version string, replicas int64) *corev1.ResourceQuota {
	return &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: v1alpha1.TenantQuotaName, ResourceVersion: version},
		Status:     corev1.ResourceQuotaStatus{Used: corev1.ResourceList{v1alpha1.ResourceReplicas: *resource.NewQuantity(replicas, resource.DecimalSI)}},
	}
}

// TestPatient: a quota is lowered by what was listed a while after its version came to be, and by nothing else.
func TestPatient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{stored: counted("1", 10)}
		quotas := Patient(s).ResourceQuotas("acme")
		update := func(version string, replicas int64) error {
			_, err := quotas.UpdateStatus(t.Context(), counted(version, replicas), metav1.UpdateOptions{})
			return err
		}

		begun := time.Now()
		if err := update("1", 9); !apierrors.IsConflict(err) || s.used() != 10 {
			t.Fatalf("one was charged and not stored when it was counted, and its place was given away: %v, %d", err, s.used())
		}
		if waited := time.Since(begun); waited < settle {
			t.Fatalf("it is counted again after %s, when what was charged may not be stored yet", waited)
		}
		if err := update("1", 10); err != nil || s.used() != 10 {
			t.Fatalf("what was counted then: %v, %d", err, s.used())
		}

		// A charge meanwhile begins it anew.
		if err := update("1+", 3); !apierrors.IsConflict(err) {
			t.Fatal(err)
		}
		s.stored.ResourceVersion, s.stored.Status = "2", counted("2", 11).Status
		if err := update("2", 3); !apierrors.IsConflict(err) || s.used() != 11 {
			t.Fatalf("the version that has stood is not this one: %v, %d", err, s.used())
		}
		if err := update("2", 4); err != nil || s.used() != 4 {
			t.Fatalf("lowered: %v, %d", err, s.used())
		}

		begun = time.Now()
		if err := update("2+", 7); err != nil || s.used() != 7 || time.Since(begun) != 0 {
			t.Fatalf("more than before needs no patience: %v, %d after %s", err, s.used(), time.Since(begun))
		}
		if err := update("1", 9); !apierrors.IsConflict(err) {
			t.Fatalf("an old version: %v", err)
		}
	})
}
