package exposition

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
)

// The metrics of objects: how they stand, for rules and dashboards. A condition is one series, whose labels say how it
// stands; a change ends that series and begins another.
var (
	containerInfo = &Metric{
		Name: "dogker_container_info", Kind: Gauge, Labels: []string{"container", "image", "mode", "namespace"},
		Help: "1 for each TenantContainer, with the image as declared, and its mode.",
	}
	containerDesired = &Metric{
		Name: "dogker_container_replicas_desired", Kind: Gauge, Labels: containerLabels,
		Help: "Tasks that are to run: as declared, or as a schedule, a suspension or the autoscaler has it.",
	}
	containerReady = &Metric{
		Name: "dogker_container_replicas_ready", Kind: Gauge, Labels: containerLabels,
		Help: "Tasks that run and are healthy.",
	}
	containerUpdated = &Metric{
		Name: "dogker_container_replicas_updated", Kind: Gauge, Labels: containerLabels,
		Help: "Tasks that are ready and run the present revision.",
	}
	containerCondition = &Metric{
		Name: "dogker_container_condition", Kind: Gauge, Labels: []string{"condition", "container", "namespace", "reason", "status"},
		Help: "1 for each condition of a TenantContainer, with its status (True, False or Unknown) and its reason.",
	}
	gitSyncCondition = &Metric{
		Name: "dogker_gitsync_condition", Kind: Gauge, Labels: []string{"condition", "gitsync", "namespace", "reason", "status"},
		Help: "1 for each condition of a GitSync, with its status (True, False or Unknown) and its reason.",
	}
	gitSyncReady = &Metric{
		Name: "dogker_gitsync_ready", Kind: Gauge, Labels: []string{"gitsync", "namespace"},
		Help: "1 while the GitSync is Ready, 0 while it is not or is not known to be.",
	}
	quotaMetric = &Metric{
		Name: "dogker_tenant_quota", Kind: Gauge, Labels: []string{"namespace", "resource", "type"},
		Help: "What the quota of a namespace allows (type hard) and what of it is taken (type used), in base units.",
	}

	objectMetrics = []*Metric{
		containerInfo, containerDesired, containerReady, containerUpdated, containerCondition, gitSyncCondition, gitSyncReady, quotaMetric,
	}
)

// errNotYet is the error before objects can be read.
var errNotYet = errors.New("objects are not known yet")

// list reads the objects of a kind in a namespace, or of all namespaces when it is empty, and makes no copies: nobody
// changes what comes back.
func (s *Server) list(ctx context.Context, into client.ObjectList, namespace string) error {
	reader := s.objects.Load()
	if reader == nil {
		return errNotYet
	}
	if err := (*reader).List(ctx, into, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list objects: %w", err)
	}

	return nil
}

// containers are the TenantContainers of a namespace, or of all.
func (s *Server) containers(ctx context.Context, namespace string) ([]v1alpha1.TenantContainer, error) {
	var list v1alpha1.TenantContainerList
	err := s.list(ctx, &list, namespace)

	return list.Items, err
}

func (p *page) container(tc *v1alpha1.TenantContainer) {
	p.add(containerInfo, 1, tc.Name, string(tc.Spec.Image), string(tc.Spec.Mode), tc.Namespace)
	p.add(containerDesired, float64(desired(tc)), tc.Name, tc.Namespace)
	p.add(containerReady, float64(tc.Status.ReadyReplicas), tc.Name, tc.Namespace)
	p.add(containerUpdated, float64(tc.Status.UpdatedReplicas), tc.Name, tc.Namespace)
	for i := range tc.Status.Conditions {
		c := &tc.Status.Conditions[i]
		p.add(containerCondition, 1, c.Type, tc.Name, tc.Namespace, c.Reason, string(c.Status))
	}
}

// desired is how many tasks are to run: what the controller counts by, and before it has looked what is declared.
func desired(tc *v1alpha1.TenantContainer) int64 {
	_, of, found := strings.Cut(tc.Status.Tasks, "/")
	if n, err := strconv.ParseInt(of, 10, 32); found && err == nil {
		return n
	}
	switch {
	case tc.Spec.Mode == v1alpha1.ModeGlobal:
		return int64(tc.Status.Replicas)
	case tc.Spec.Replicas == nil:
		return 1
	default:
		return int64(*tc.Spec.Replicas)
	}
}

// syncs shows the GitSyncs of a namespace, or of all.
func (s *Server) syncs(ctx context.Context, p *page, namespace string) error {
	var list gitopsv1.GitSyncList
	if err := s.list(ctx, &list, namespace); err != nil {
		return err
	}
	for i := range list.Items {
		g := &list.Items[i]
		ready := false
		for k := range g.Status.Conditions {
			c := &g.Status.Conditions[k]
			p.add(gitSyncCondition, 1, c.Type, g.Name, g.Namespace, c.Reason, string(c.Status))
			ready = ready || c.Type == v1alpha1.ConditionReady && c.Status == metav1.ConditionTrue
		}
		p.add(gitSyncReady, truth(ready), g.Name, g.Namespace)
	}

	return nil
}

// quotas shows what namespaces may have and what they have taken.
func (s *Server) quotas(ctx context.Context, p *page, namespace string) error {
	var list corev1.ResourceQuotaList
	if err := s.list(ctx, &list, namespace); err != nil {
		return err
	}
	for i := range list.Items {
		q := &list.Items[i]
		for _, side := range []struct {
			name   string
			amount corev1.ResourceList
		}{{"hard", q.Status.Hard}, {"used", q.Status.Used}} {
			for resource, amount := range side.amount {
				p.add(quotaMetric, amount.AsApproximateFloat64(), q.Namespace, string(resource), side.name)
			}
		}
	}

	return nil
}
