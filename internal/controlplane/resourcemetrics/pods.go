package resourcemetrics

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/metrics/pkg/apis/metrics"

	"github.com/dogker/dogker/reconciler/telemetry"
)

// podsREST says what pods use.
type podsREST struct{ provider Provider }

var (
	_ rest.KindProvider         = (*podsREST)(nil)
	_ rest.Storage              = (*podsREST)(nil)
	_ rest.Getter               = (*podsREST)(nil)
	_ rest.Lister               = (*podsREST)(nil)
	_ rest.Scoper               = (*podsREST)(nil)
	_ rest.SingularNameProvider = (*podsREST)(nil)
)

func (*podsREST) New() runtime.Object     { return &metrics.PodMetrics{} }
func (*podsREST) NewList() runtime.Object { return &metrics.PodMetricsList{} }
func (*podsREST) Destroy()                {}
func (*podsREST) Kind() string            { return "PodMetrics" }
func (*podsREST) NamespaceScoped() bool   { return true }
func (*podsREST) GetSingularName() string { return "" }

// Get is what one pod uses. One of which nothing fresh is known is not found, as with metrics-server.
func (p *podsREST) Get(ctx context.Context, name string, _ *metav1.GetOptions) (runtime.Object, error) {
	pods, err := p.provider.Source.MeasuredPods(request.NamespaceValue(ctx))
	if err != nil {
		return nil, unavailable(err)
	}
	for _, pod := range pods {
		if pod.Name != name {
			continue
		}
		if m, ok := p.measure(pod); ok {
			return &m, nil
		}
	}

	return nil, apierrors.NewNotFound(metrics.Resource("podmetrics"), request.NamespaceValue(ctx)+"/"+name)
}

// List is what the pods of a namespace use, or those of all.
func (p *podsREST) List(ctx context.Context, o *metainternalversion.ListOptions) (runtime.Object, error) {
	picks, err := selecting(o, "metadata.name", "metadata.namespace")
	if err != nil {
		return nil, err
	}
	pods, err := p.provider.Source.MeasuredPods(request.NamespaceValue(ctx))
	if err != nil {
		return nil, unavailable(err)
	}

	list := &metrics.PodMetricsList{Items: []metrics.PodMetrics{}}
	for _, pod := range pods {
		if !picks(pod.Labels, map[string]string{"metadata.name": pod.Name, "metadata.namespace": pod.Namespace}) {
			continue
		}
		if m, ok := p.measure(pod); ok {
			list.Items = append(list.Items, m)
		}
	}

	return list, nil
}

func (p *podsREST) measure(pod Pod) (metrics.PodMetrics, bool) {
	now := p.provider.Now()
	u, ok := used(p.provider.Samples.Window(pod.Task, now.Add(-2*telemetry.Stale)), now)
	if !ok {
		return metrics.PodMetrics{}, false
	}

	return metrics.PodMetrics{
		ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace, Labels: pod.Labels, CreationTimestamp: metav1.NewTime(now)},
		Timestamp:  metav1.NewTime(u.at),
		Window:     metav1.Duration{Duration: u.window},
		Containers: []metrics.ContainerMetrics{{Name: pod.Container, Usage: u.list()}},
	}, true
}
