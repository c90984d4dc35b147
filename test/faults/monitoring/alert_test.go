package monitoring

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	alerts "github.com/dogker/dogker/controllers/alert"
	receivers "github.com/dogker/dogker/controllers/receiver"
	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/converge"
	"github.com/dogker/dogker/reconciler/engine"
)

var (
	alertKey = types.NamespacedName{Namespace: namespace, Name: "memory"}
	chatKey  = types.NamespacedName{Namespace: namespace, Name: "chat"}
)

// alertStory: a container holds too much, gets well, holds too much again, and gets well again. Each is told once.
var alertStory = story{
	start: startAlerts,
	keys:  func(client.Client) []types.NamespacedName { return []types.NamespacedName{alertKey, chatKey} },
	scenario: converge.Scenario{Name: "alerts", Steps: []converge.Step{
		{Name: "declare", Do: declareAlert, Until: all(readyFor(chatKey, monitoringv1.ReasonSecretNotFound), readyFor(alertKey, monitoringv1.ReasonWatching))},
		{Name: "secret", Do: func(r *converge.Run) {
			r.Store.Create(&corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "chat"}, Data: map[string][]byte{"url": []byte("https://chat.test/")},
			})
		}, Until: readyFor(chatKey, monitoringv1.ReasonAccepted)},
		{Name: "fires", Do: change(func(w *world) { w.memory = 2000 }), Until: told(alert.StatusFiring)},
		{Name: "over", Do: change(func(w *world) { w.memory = 10 }), Until: told(alert.StatusFiring, alert.StatusResolved)},
		{Name: "again", Do: change(func(w *world) { w.memory = 2000 }), Until: told(alert.StatusFiring, alert.StatusResolved, alert.StatusFiring)},
		{
			Name: "over-again", Do: change(func(w *world) { w.memory = 10 }),
			Until: all(told(alert.StatusFiring, alert.StatusResolved, alert.StatusFiring, alert.StatusResolved), inactive),
		},
	}},
}

func declareAlert(r *converge.Run) {
	r.Store.Create(container())
	r.Store.Create(&monitoringv1.Receiver{
		ObjectMeta: metav1.ObjectMeta{Namespace: chatKey.Namespace, Name: chatKey.Name},
		Spec:       monitoringv1.ReceiverSpec{Webhook: &monitoringv1.WebhookReceiver{URLSecretRef: &monitoringv1.SecretReference{Name: "chat"}}},
	})
	r.Store.Create(&monitoringv1.Alert{
		ObjectMeta: metav1.ObjectMeta{Namespace: alertKey.Namespace, Name: alertKey.Name},
		Spec: monitoringv1.AlertSpec{
			Threshold: &monitoringv1.ThresholdRule{Metric: monitoringv1.MetricMemory, Operator: ">", Value: resource.MustParse("1000")},
			For:       metav1.Duration{Duration: 30 * time.Second}, KeepFiringFor: metav1.Duration{Duration: 30 * time.Second},
			Severity: monitoringv1.SeverityWarning, Topic: monitoringv1.TopicAlerts,
			Routing: monitoringv1.Routing{
				GroupWait: metav1.Duration{Duration: 5 * time.Second}, GroupInterval: metav1.Duration{Duration: 5 * time.Second},
				RepeatInterval: &metav1.Duration{}, SendResolved: new(true),
			},
		},
	})
}

// startAlerts begins the loops of Alerts and Receivers.
func startAlerts(p *converge.Process) {
	w := p.World.(*world)
	kind := alerts.New(p.Client, p.Live, alerts.Ports{Telemetry: w, Swarm: w, Outbox: postbox{p, w.outbox}}, alerts.Options{Platform: "dogker-system"})
	loop := engine.New(p.Client, kind, engine.Options{
		Name: alerts.Name, Recorder: silent{}, Strict: true, Jitter: func() float64 { return 0 },
	})
	of := receivers.New(p.Client, w.outbox, receivers.Options{Platform: "dogker-system", Mail: true})
	telling := engine.New(p.Client, of, engine.Options{
		Name: receivers.Name, Recorder: silent{}, Strict: true, Jitter: func() float64 { return 0 },
	})
	p.Reconcile(reconcile.Func(func(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
		if req.NamespacedName == chatKey {
			return telling.Reconcile(ctx, req)
		}

		return loop.Reconcile(ctx, req)
	}))
	p.Watch(&monitoringv1.Alert{}, func(_ context.Context, old, new client.Object) []reconcile.Request {
		return asked(loop.IgnoreOwnWrites(), old, new)
	})
	p.Watch(&monitoringv1.Receiver{}, func(_ context.Context, old, new client.Object) []reconcile.Request {
		return asked(telling.IgnoreOwnWrites(), old, new)
	})
	p.Watch(&corev1.Secret{}, func(context.Context, client.Object, client.Object) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: chatKey}}
	})
}

// outbox keeps each notice once, as internal/outbox does.
type outbox struct {
	mu      sync.Mutex
	notices map[string]alert.Notification
	changed []string
}

func newOutbox() *outbox { return &outbox{notices: map[string]alert.Notification{}} }

// State implements receivers.Deliveries: nothing was sent yet.
func (*outbox) State(alert.ReceiverRef) alert.DeliveryState { return alert.DeliveryState{} }

func (o *outbox) put(n alert.Notification) {
	o.mu.Lock()
	defer o.mu.Unlock()

	if had, there := o.notices[n.ID]; there {
		was, err1 := json.Marshal(had)
		is, err2 := json.Marshal(n)
		if err1 != nil || err2 != nil || string(was) != string(is) {
			o.changed = append(o.changed, n.ID)
		}

		return
	}
	o.notices[n.ID] = n
}

// statuses are those of all notices, in the order in which they were decided.
func (o *outbox) statuses() []alert.Status {
	o.mu.Lock()
	defer o.mu.Unlock()

	var all []alert.Notification
	for _, n := range o.notices {
		all = append(all, n)
	}
	slices.SortFunc(all, func(a, b alert.Notification) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
	})
	var out []alert.Status
	for _, n := range all {
		out = append(out, n.Status)
	}

	return out
}

func (o *outbox) lines() []string { return []string{fmt.Sprintf("told: %v", o.statuses())} }

func (o *outbox) broken() []string {
	o.mu.Lock()
	defer o.mu.Unlock()

	var out []string
	for _, id := range o.changed {
		out = append(out, fmt.Sprintf("notice %s was put again and says something else", id))
	}

	return out
}

// postbox is the way of a process to the outbox.
type postbox struct {
	p *converge.Process
	o *outbox
}

// Put implements alert.Outbox.
func (b postbox) Put(ctx context.Context, n alert.Notification) error {
	call := converge.Call{Seam: "Outbox", Op: "Put", Target: n.Receiver.Name + "/" + string(n.Status), Write: true}

	return across(ctx, b.p, call, func() error {
		b.o.put(n)

		return nil
	})
}

// until is what a step must lead to.
type until = func(*converge.Run) error

func all(parts ...until) until {
	return func(r *converge.Run) error {
		for _, part := range parts {
			if err := part(r); err != nil {
				return err
			}
		}

		return nil
	}
}

// told is true when people were told of that, in that order, and of nothing else.
func told(want ...alert.Status) until {
	return func(r *converge.Run) error {
		if got := r.World.(*world).statuses(); !slices.Equal(got, want) {
			return fmt.Errorf("told: %v, want %v", got, want)
		}

		return nil
	}
}

// readyFor is true when the condition Ready of an Alert or a Receiver has that reason.
func readyFor(key types.NamespacedName, reason string) until {
	return func(r *converge.Run) error {
		var o interface {
			client.Object
			conditions.Object
		} = &monitoringv1.Alert{}
		if key == chatKey {
			o = &monitoringv1.Receiver{}
		}
		r.Store.Get(key.Namespace, key.Name, o)
		if c := conditions.Get(o, conditions.Ready); c == nil || c.Reason != reason {
			return fmt.Errorf("Ready of %s is %+v, want %s", key, c, reason)
		}

		return nil
	}
}

// inactive is true when the Alert has nothing left to say.
func inactive(r *converge.Run) error {
	var a monitoringv1.Alert
	r.Store.Get(alertKey.Namespace, alertKey.Name, &a)
	if a.Status.State != monitoringv1.StateInactive || len(a.Status.Series) > 0 {
		return fmt.Errorf("the alert is %s, with %+v", a.Status.State, a.Status.Series)
	}

	return nil
}
