package resourcemetrics

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/metrics/pkg/apis/metrics"
)

// nodesREST says what nodes use, with everything that runs on them, ours and others'.
type nodesREST struct{ provider Provider }

var (
	_ rest.KindProvider         = (*nodesREST)(nil)
	_ rest.Storage              = (*nodesREST)(nil)
	_ rest.Getter               = (*nodesREST)(nil)
	_ rest.Lister               = (*nodesREST)(nil)
	_ rest.Scoper               = (*nodesREST)(nil)
	_ rest.SingularNameProvider = (*nodesREST)(nil)
)

func (*nodesREST) New() runtime.Object     { return &metrics.NodeMetrics{} }
func (*nodesREST) NewList() runtime.Object { return &metrics.NodeMetricsList{} }
func (*nodesREST) Destroy()                {}
func (*nodesREST) Kind() string            { return "NodeMetrics" }
func (*nodesREST) NamespaceScoped() bool   { return false }
func (*nodesREST) GetSingularName() string { return "" }

// Get is what one node uses.
func (n *nodesREST) Get(_ context.Context, name string, _ *metav1.GetOptions) (runtime.Object, error) {
	nodes, err := n.provider.Source.MeasuredNodes()
	if err != nil {
		return nil, unavailable(err)
	}
	for _, node := range nodes {
		if node.Name != name {
			continue
		}
		if m, ok := n.measure(node); ok {
			return &m, nil
		}
	}

	return nil, apierrors.NewNotFound(metrics.Resource("nodemetrics"), name)
}

// List is what all nodes use.
func (n *nodesREST) List(_ context.Context, o *metainternalversion.ListOptions) (runtime.Object, error) {
	picks, err := selecting(o, "metadata.name")
	if err != nil {
		return nil, err
	}
	nodes, err := n.provider.Source.MeasuredNodes()
	if err != nil {
		return nil, unavailable(err)
	}

	list := &metrics.NodeMetricsList{Items: []metrics.NodeMetrics{}}
	for _, node := range nodes {
		if !picks(node.Labels, map[string]string{"metadata.name": node.Name}) {
			continue
		}
		if m, ok := n.measure(node); ok {
			list.Items = append(list.Items, m)
		}
	}

	return list, nil
}

func (n *nodesREST) measure(node Node) (metrics.NodeMetrics, bool) {
	now := n.provider.Now()
	u, ok := usedBy(node.ID, n.provider.Samples, now)
	if !ok {
		return metrics.NodeMetrics{}, false
	}

	return metrics.NodeMetrics{
		ObjectMeta: metav1.ObjectMeta{Name: node.Name, Labels: node.Labels, CreationTimestamp: metav1.NewTime(now)},
		Timestamp:  metav1.NewTime(u.at),
		Window:     metav1.Duration{Duration: u.window},
		Usage:      u.list(),
	}, true
}
