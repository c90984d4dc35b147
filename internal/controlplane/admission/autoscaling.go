package admission

import (
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/promquery"
)

// judgeAutoscaling refuses what the schema cannot tell to be wrong, or not at a bearable cost: targets of nothing, and queries
// that would be refused each time they are to be asked.
func judgeAutoscaling(tc *v1alpha1.TenantContainer) field.ErrorList {
	if tc.Spec.Autoscaling == nil {
		return nil
	}

	var errs field.ErrorList
	for i, m := range tc.Spec.Autoscaling.Metrics {
		at := field.NewPath("spec", "autoscaling", "metrics").Index(i)
		if m.Resource != nil {
			errs = append(errs, positive(at.Child("resource", "target", "averageValue"), m.Resource.Target.AverageValue)...)
		}
		if m.RequestsPerSecond != nil {
			errs = append(errs, positive(at.Child("requestsPerSecond", "target", "averageValue"), &m.RequestsPerSecond.Target.AverageValue)...)
		}
		if m.Prometheus != nil {
			errs = append(errs, judgeQuestion(m.Prometheus, tc.Namespace, at.Child("prometheus"))...)
		}
	}

	return errs
}

func judgeQuestion(m *v1alpha1.PrometheusMetric, namespace string, at *field.Path) field.ErrorList {
	errs := append(positive(at.Child("target", "value"), m.Target.Value), positive(at.Child("target", "averageValue"), m.Target.AverageValue)...)
	if a := m.ActivationValue; a != nil && a.Sign() < 0 {
		errs = append(errs, field.Invalid(at.Child("activationValue"), a.String(), "must not be below 0"))
	}
	if _, err := promquery.Enforce(m.Query, namespace); err != nil {
		errs = append(errs, field.Invalid(at.Child("query"), m.Query, err.Error()))
	}

	return errs
}

// positive demands an amount greater than 0 where there is one.
func positive(at *field.Path, q *resource.Quantity) field.ErrorList {
	if q == nil || q.Sign() > 0 {
		return nil
	}

	return field.ErrorList{field.Invalid(at, q.String(), "must be greater than 0, such as 50 or 500m")}
}
