package admission

import (
	"context"
	"io"
	"maps"
	"net/url"
	"regexp"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"

	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/internal/controlplane/bootstrap"
	"github.com/dogker/dogker/internal/promquery"
	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/schedule"
)

// MonitoringPluginName is how the plugin for Alerts and Receivers is known to the API server.
const MonitoringPluginName = "DogkerMonitoring"

var (
	alertKind    = monitoringv1.GroupVersion.WithKind("Alert").GroupKind()
	receiverKind = monitoringv1.GroupVersion.WithKind("Receiver").GroupKind()
)

// RegisterMonitoring makes the plugin known.
func RegisterMonitoring(plugins *admission.Plugins) {
	plugins.Register(MonitoringPluginName, func(io.Reader) (admission.Interface, error) {
		return &Monitoring{Handler: admission.NewHandler(admission.Create, admission.Update)}, nil
	})
}

// Monitoring says at once what is wrong with Alerts and Receivers that no schema can say. What is not there yet, such as a
// Receiver or a contact, is no reason to refuse: their conditions say so.
type Monitoring struct {
	*admission.Handler
}

var _ admission.ValidationInterface = (*Monitoring)(nil)

// Validate judges a spec that is new or has changed.
func (m *Monitoring) Validate(_ context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	kind := a.GetKind().GroupKind()
	if kind != alertKind && kind != receiverKind || a.GetSubresource() != "" {
		return nil
	}

	now, old, err := objects(a)
	if err != nil || sameSpec(now, old) {
		return err
	}

	var errs field.ErrorList

	platform := a.GetNamespace() == bootstrap.Namespace
	if kind == alertKind {
		errs, err = judged(now, alertKind, func(a *monitoringv1.Alert) field.ErrorList { return judgeAlert(&a.Spec, a.Namespace, platform) })
	} else {
		errs, err = judged(now, receiverKind, func(r *monitoringv1.Receiver) field.ErrorList { return judgeReceiver(&r.Spec, platform) })
	}

	if err != nil {
		return err
	}

	if len(errs) > 0 {
		return apierrors.NewInvalid(kind, now.GetName(), errs)
	}

	return nil
}

// judged reads an object and judges it.
func judged[T any](now *unstructured.Unstructured, kind schema.GroupKind, judge func(*T) field.ErrorList) (field.ErrorList, error) {
	var object T
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(now.Object, &object); err != nil {
		return nil, apierrors.NewInvalid(kind, now.GetName(), field.ErrorList{field.Invalid(field.NewPath("spec"), nil, err.Error())})
	}

	return judge(&object), nil
}

// judgeAlert lists what a schema cannot say about a spec.
func judgeAlert(spec *monitoringv1.AlertSpec, namespace string, platform bool) field.ErrorList {
	var errs field.ErrorList

	at := field.NewPath("spec")

	if spec.AllNamespaces && !platform {
		errs = append(errs, field.Forbidden(at.Child("allNamespaces"), "is for Alerts of the namespace "+bootstrap.Namespace+" only"))
	}

	if rule := spec.Condition; rule != nil {
		if (rule.Kind == monitoringv1.WatchedTenant || rule.Kind == monitoringv1.WatchedNode) && !platform {
			errs = append(errs, field.Forbidden(at.Child("condition", "kind"), string(rule.Kind)+" is for Alerts of the namespace "+bootstrap.Namespace+" only"))
		}

		errs = append(errs, judgeSelector(rule.Selector, at.Child("condition", "selector"))...)
	}

	if spec.Containers != nil {
		errs = append(errs, judgeSelector(spec.Containers.Selector, at.Child("containers", "selector"))...)
	}

	if rule := spec.Anomaly; rule != nil && rule.MinimumHistory.Duration > rule.Window.Duration {
		errs = append(errs, field.Invalid(at.Child("anomaly", "minimumHistory"), rule.MinimumHistory.Duration.String(), "must not be longer than window, which is "+rule.Window.Duration.String()))
	}

	if spec.AllNamespaces {
		namespace = ""
	}

	if rule := spec.Threshold; rule != nil && rule.Query != "" {
		errs = append(errs, judgeQuery(rule.Query, namespace, at.Child("threshold", "query"))...)
	}

	if rule := spec.Absent; rule != nil && rule.Query != "" {
		errs = append(errs, judgeQuery(rule.Query, namespace, at.Child("absent", "query"))...)
	}

	if _, err := alert.MutesOf(spec, at); err != nil {
		errs = append(errs, err)
	}

	errs = append(errs, judgeLabelNames(spec.Labels, at.Child("labels"))...)
	errs = append(errs, judgeLabelNames(spec.Annotations, at.Child("annotations"))...)

	for i, s := range spec.Silences {
		errs = append(errs, judgeLabelNames(s.MatchLabels, at.Child("silences").Index(i).Child("matchLabels"))...)
	}

	return errs
}

// labelName is what Prometheus takes for one.
var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]{0,62}$`)

func judgeLabelNames(labels map[string]monitoringv1.AlertText, at *field.Path) field.ErrorList {
	var errs field.ErrorList

	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if !labelName.MatchString(name) {
			errs = append(errs, field.Invalid(at, name, "must be a name as Prometheus has them: at most 63 letters, digits and underscores, not beginning with a digit"))
		}
	}

	return errs
}

func judgeSelector(s *metav1.LabelSelector, at *field.Path) field.ErrorList {
	if s == nil {
		return nil
	}

	if _, err := metav1.LabelSelectorAsSelector(s); err != nil {
		return field.ErrorList{field.Invalid(at, metav1.FormatLabelSelector(s), err.Error())}
	}

	return nil
}

func judgeQuery(query, namespace string, at *field.Path) field.ErrorList {
	if err := promquery.Check(query, namespace); err != nil {
		return field.ErrorList{field.Invalid(at, query, err.Error())}
	}

	return nil
}

// judgeReceiver lists what a schema cannot say about a spec.
func judgeReceiver(spec *monitoringv1.ReceiverSpec, platform bool) field.ErrorList {
	var errs field.ErrorList

	at := field.NewPath("spec")

	if e := spec.Email; e != nil {
		if platform && len(e.To) == 0 {
			errs = append(errs, field.Required(at.Child("email", "to"), "names who is written to: the namespace "+bootstrap.Namespace+" has no Tenant whose contacts could be"))
		}

		if _, err := schedule.Zone(e.TimeZone); err != nil {
			errs = append(errs, field.Invalid(at.Child("email", "timeZone"), e.TimeZone, "must be the name of a time zone, such as Asia/Jakarta"))
		}
	}

	if w := spec.Webhook; w != nil && w.URL != "" {
		// Nothing of a URL is repeated that may hold a secret.
		if u, err := url.Parse(w.URL); err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
			errs = append(errs, field.Invalid(at.Child("webhook", "url"), hidden(w.URL), "must be a URL with a host, and without credentials and fragment, such as https://hooks.example.com/dogker"))
		}
	}

	return errs
}
