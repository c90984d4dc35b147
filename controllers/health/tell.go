package health

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/health"
)

// fieldOwner is who these writes are by, as managedFields show it.
const fieldOwner = "dogker-health"

// eventRecovered says that something is over.
const eventRecovered = "HealthRecovered"

// tell writes what has changed since the container was told of last: its status, its annotation, and an Event for each finding
// that is new or over. Nothing changed, nothing is written.
func (m *Monitor) tell(ctx context.Context, tc *v1alpha1.TenantContainer, v health.Verdict) error {
	now := statusOf(v)
	before := tc.Status.Health

	if !equality.Semantic.DeepEqual(before, now) {
		if err := m.patch(ctx, tc, toStatus, map[string]any{"status": map[string]any{"health": now}}); err != nil {
			return err
		}
		m.announce(tc, before, now)
	}

	worst := string(v.Worst())
	if was := tc.Annotations[v1alpha1.AnnotationHealth]; was == worst {
		return nil
	}
	var value any
	if worst != "" {
		value = worst
	}

	return m.patch(ctx, tc, toObject, map[string]any{"metadata": map[string]any{"annotations": map[string]any{v1alpha1.AnnotationHealth: value}}})
}

// statusOf is a verdict as the status has it; nil when there is nothing to say.
func statusOf(v health.Verdict) *v1alpha1.HealthStatus {
	if len(v.Findings) == 0 && v.Recommended == nil {
		return nil
	}

	return &v1alpha1.HealthStatus{Findings: v.Findings, RecommendedRequests: v.Recommended}
}

// target is which part of an object a patch is for.
type target int

const (
	toObject target = iota
	toStatus
)

// patch changes what the health monitor writes and nothing else, of this very object: one of the same name that was made since
// is another one.
func (m *Monitor) patch(ctx context.Context, tc *v1alpha1.TenantContainer, to target, change map[string]any) error {
	meta, ok := change["metadata"].(map[string]any)
	if !ok {
		meta = map[string]any{}
		change["metadata"] = meta
	}
	meta["uid"] = tc.UID
	raw, err := json.Marshal(change)
	if err != nil {
		return fmt.Errorf("encode patch: %w", err)
	}

	object := &v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Namespace: tc.Namespace, Name: tc.Name}}
	patch := client.RawPatch(types.MergePatchType, raw)
	if to == toStatus {
		err = m.o.Client.Status().Patch(ctx, object, patch, client.FieldOwner(fieldOwner))
	} else {
		err = m.o.Client.Patch(ctx, object, patch, client.FieldOwner(fieldOwner))
	}
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil // It is gone, or another one by now.
	}
	if err == nil {
		m.written[tc.UID] = object.ResourceVersion
	}

	return err
}

func (m *Monitor) announce(tc *v1alpha1.TenantContainer, before, now *v1alpha1.HealthStatus) {
	if m.o.Recorder == nil {
		return
	}
	had, has := findings(before), findings(now)
	for state, f := range has {
		if _, known := had[state]; known {
			continue
		}
		kind := corev1.EventTypeWarning
		if state == v1alpha1.HealthOverprovisioned {
			kind = corev1.EventTypeNormal
		}
		m.o.Recorder.Event(tc, kind, string(state), f.Message)
	}
	for state := range had {
		if _, still := has[state]; !still {
			m.o.Recorder.Event(tc, corev1.EventTypeNormal, eventRecovered, fmt.Sprintf("It is %s no more", state))
		}
	}
}

func findings(s *v1alpha1.HealthStatus) map[v1alpha1.HealthState]v1alpha1.HealthFinding {
	out := map[v1alpha1.HealthState]v1alpha1.HealthFinding{}
	if s != nil {
		for _, f := range s.Findings {
			out[f.State] = f
		}
	}

	return out
}
