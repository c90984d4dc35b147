package monitoring

import (
	"fmt"
	"sort"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions/check"
	"github.com/dogker/dogker/reconciler/converge"
)

// stateOfAPI is what the API holds, without what differs from run to run.
func stateOfAPI(r *converge.Run) []string {
	var (
		out        []string
		containers v1alpha1.TenantContainerList
		watching   monitoringv1.AlertList
		telling    monitoringv1.ReceiverList
	)
	r.Store.List(&containers)
	r.Store.List(&watching)
	r.Store.List(&telling)

	for i := range containers.Items {
		tc := &containers.Items[i]
		out = append(out, fmt.Sprintf("container %s: %q tasks, health %q", tc.Name,
			tc.Annotations[v1alpha1.AnnotationReplicas], tc.Annotations[v1alpha1.AnnotationHealth]))
		if s := tc.Status.Autoscaling; s != nil {
			out = append(out, fmt.Sprintf("container %s scales from %d to %d", tc.Name, s.CurrentReplicas, s.DesiredReplicas))
			out = append(out, inWords("container "+tc.Name, s.Conditions)...)
		}
		if h := tc.Status.Health; h != nil {
			for _, f := range h.Findings {
				out = append(out, fmt.Sprintf("container %s is %s", tc.Name, f.State))
			}
		}
	}
	for i := range watching.Items {
		a := &watching.Items[i]
		out = append(out, fmt.Sprintf("alert %s is %s, fires %d, pends %d, series %d", a.Name, a.Status.State, a.Status.Firing, a.Status.Pending, len(a.Status.Series)))
		out = append(out, inWords("alert "+a.Name, a.Status.Conditions)...)
	}
	for i := range telling.Items {
		out = append(out, inWords("receiver "+telling.Items[i].Name, telling.Items[i].Status.Conditions)...)
	}
	sort.Strings(out)

	return out
}

func inWords(what string, conditions []metav1.Condition) (out []string) {
	for _, c := range conditions {
		out = append(out, fmt.Sprintf("%s %s=%s %s: %s", what, c.Type, c.Status, c.Reason, c.Message))
	}

	return out
}

// brokenRules lists what is wrong with the status of objects.
func brokenRules(r *converge.Run) []string {
	var (
		out      []string
		watching monitoringv1.AlertList
		telling  monitoringv1.ReceiverList
	)
	r.Store.List(&watching)
	r.Store.List(&telling)
	for i := range watching.Items {
		for _, problem := range check.Problems(&watching.Items[i]) {
			out = append(out, fmt.Sprintf("status of alert %s: %s", watching.Items[i].Name, problem))
		}
	}
	for i := range telling.Items {
		for _, problem := range check.Problems(&telling.Items[i]) {
			out = append(out, fmt.Sprintf("status of receiver %s: %s", telling.Items[i].Name, problem))
		}
	}

	return out
}
