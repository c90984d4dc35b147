package resourcemetrics

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/metrics/pkg/apis/metrics"
)

var columns = []metav1.TableColumnDefinition{
	{Name: "Name", Type: "string", Format: "name", Description: "Whose use it is."},
	{Name: "CPU", Type: "string", Description: "Cores used on average in the window."},
	{Name: "Memory", Type: "string", Description: "The working set: what cannot be taken away without harm."},
	{Name: "Window", Type: "string", Description: "The time that CPU is the average of."},
}

// ConvertToTable is what `kubectl get pods.metrics.k8s.io` prints.
func (*podsREST) ConvertToTable(_ context.Context, object, options runtime.Object) (*metav1.Table, error) {
	switch o := object.(type) {
	case *metrics.PodMetrics:
		return table(metav1.ListMeta{}, options, podRow(o)), nil
	case *metrics.PodMetricsList:
		rows := make([]metav1.TableRow, len(o.Items))
		for i := range o.Items {
			rows[i] = podRow(&o.Items[i])
		}
		return table(o.ListMeta, options, rows...), nil
	default:
		return nil, fmt.Errorf("print %T: no PodMetrics", object)
	}
}

// ConvertToTable is what `kubectl get nodes.metrics.k8s.io` prints.
func (*nodesREST) ConvertToTable(_ context.Context, object, options runtime.Object) (*metav1.Table, error) {
	switch o := object.(type) {
	case *metrics.NodeMetrics:
		return table(metav1.ListMeta{}, options, nodeRow(o)), nil
	case *metrics.NodeMetricsList:
		rows := make([]metav1.TableRow, len(o.Items))
		for i := range o.Items {
			rows[i] = nodeRow(&o.Items[i])
		}
		return table(o.ListMeta, options, rows...), nil
	default:
		return nil, fmt.Errorf("print %T: no NodeMetrics", object)
	}
}

func table(meta metav1.ListMeta, options runtime.Object, rows ...metav1.TableRow) *metav1.Table {
	t := &metav1.Table{ListMeta: meta, Rows: rows}
	if o, ok := options.(*metav1.TableOptions); !ok || !o.NoHeaders {
		t.ColumnDefinitions = columns
	}

	return t
}

func podRow(m *metrics.PodMetrics) metav1.TableRow {
	return row(m, m.Name, m.Containers[0].Usage, m.Window)
}

func nodeRow(m *metrics.NodeMetrics) metav1.TableRow { return row(m, m.Name, m.Usage, m.Window) }

func row(object runtime.Object, name string, used corev1.ResourceList, window metav1.Duration) metav1.TableRow {
	const mebi = 1 << 20

	return metav1.TableRow{
		Cells:  []any{name, fmt.Sprintf("%dm", used.Cpu().MilliValue()), fmt.Sprintf("%dMi", used.Memory().Value()/mebi), window.Duration.String()},
		Object: runtime.RawExtension{Object: object},
	}
}
