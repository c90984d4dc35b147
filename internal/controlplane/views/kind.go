package views

import (
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	core "k8s.io/kubernetes/pkg/apis/core"
	corev1conversion "k8s.io/kubernetes/pkg/apis/core/v1"
)

// kind is how objects of one kind are kept and handed out: in the form in which Kubernetes' own code works with them.
type kind struct {
	shelf      *shelf
	resource   schema.GroupResource
	singular   string
	shortNames []string
	categories []string
	namespaced bool

	empty func() runtime.Object
	// copied is a copy that may be given another version, and be encoded by somebody else at the same time. What it refers
	// to is shared.
	copied func(*row) runtime.Object
	list   func([]*row, metav1.ListMeta) runtime.Object
}

func newPods(now time.Time) *kind {
	return &kind{
		shelf: newShelf(now), resource: core.Resource("pods"), singular: "pod", shortNames: []string{"po"}, categories: []string{"all"}, namespaced: true,
		empty:  func() runtime.Object { return &core.Pod{} },
		copied: func(r *row) runtime.Object { pod := *r.object.(*core.Pod); return &pod },
		list: func(rows []*row, m metav1.ListMeta) runtime.Object {
			out := &core.PodList{ListMeta: m, Items: make([]core.Pod, len(rows))}
			for i, r := range rows {
				out.Items[i] = *r.object.(*core.Pod)
			}

			return out
		},
	}
}

func newNodes(now time.Time) *kind {
	return &kind{
		shelf: newShelf(now), resource: core.Resource("nodes"), singular: "node", shortNames: []string{"no"},
		empty:  func() runtime.Object { return &core.Node{} },
		copied: func(r *row) runtime.Object { node := *r.object.(*core.Node); return &node },
		list: func(rows []*row, m metav1.ListMeta) runtime.Object {
			out := &core.NodeList{ListMeta: m, Items: make([]core.Node, len(rows))}
			for i, r := range rows {
				out.Items[i] = *r.object.(*core.Node)
			}

			return out
		},
	}
}

// podRow is a pod with the fields that Kubernetes lets people select pods by.
func podRow(pod *corev1.Pod) (*row, error) {
	out := &core.Pod{}
	if err := corev1conversion.Convert_v1_Pod_To_core_Pod(pod, out, nil); err != nil {
		return nil, err
	}
	ip := ""
	if len(out.Status.PodIPs) > 0 {
		ip = out.Status.PodIPs[0].IP
	}

	return &row{
		object: out, namespace: out.Namespace, name: out.Name, key: "/" + out.Namespace + "/" + out.Name, labels: labels.Set(out.Labels),
		fields: fields.Set{
			"metadata.name": out.Name, "metadata.namespace": out.Namespace,
			"spec.nodeName": out.Spec.NodeName, "spec.restartPolicy": string(out.Spec.RestartPolicy),
			"spec.schedulerName": out.Spec.SchedulerName, "spec.serviceAccountName": out.Spec.ServiceAccountName,
			"spec.hostNetwork": "false", "status.phase": string(out.Status.Phase), "status.podIP": ip, "status.nominatedNodeName": "",
		},
	}, nil
}

// nodeRow is a node with the fields that Kubernetes lets people select nodes by.
func nodeRow(node *corev1.Node) (*row, error) {
	out := &core.Node{}
	if err := corev1conversion.Convert_v1_Node_To_core_Node(node, out, nil); err != nil {
		return nil, err
	}

	return &row{
		object: out, name: out.Name, key: "/" + out.Name, labels: labels.Set(out.Labels),
		fields: fields.Set{"metadata.name": out.Name, "spec.unschedulable": strconv.FormatBool(out.Spec.Unschedulable)},
	}, nil
}
