package snapshotrun

import (
	"slices"
	"time"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// defaultTimeoutSeconds of a hook, where the schema has not filled it in.
const defaultTimeoutSeconds = 30

// HookContainer names the TenantContainer whose task the hooks of a Volume run in: the one that it says, or the first by name that mounts
// the Volume for writing. It is empty when there is none. containers are those of the namespace.
func HookContainer(v *v1alpha1.Volume, containers []v1alpha1.TenantContainer) string {
	if s := v.Spec.Snapshots; s != nil && s.Hooks != nil && s.Hooks.Container != "" {
		return string(s.Hooks.Container)
	}

	first := ""
	for i := range containers {
		c := &containers[i]
		writes := slices.ContainsFunc(c.Spec.Volumes, func(m v1alpha1.VolumeMount) bool { return string(m.Name) == v.Name && !m.ReadOnly })
		if writes && (first == "" || c.Name < first) {
			first = c.Name
		}
	}

	return first
}

// postHook is what has to run after reading, and has to be on record before.
func postHook(v *v1alpha1.Volume, container string) *v1alpha1.SnapshotPostHook {
	if v.Spec.Snapshots == nil || v.Spec.Snapshots.Hooks == nil || v.Spec.Snapshots.Hooks.Post == nil || container == "" {
		return nil
	}
	h := v.Spec.Snapshots.Hooks.Post
	onError := h.OnError
	if onError == "" {
		onError = v1alpha1.HookFail
	}

	return &v1alpha1.SnapshotPostHook{
		Container: container, Command: command(h), TimeoutSeconds: int32(seconds(h.TimeoutSeconds) / time.Second), OnError: onError,
	}
}

func command(h *v1alpha1.SnapshotHook) []string {
	out := make([]string, 0, len(h.Command))
	for _, word := range h.Command {
		out = append(out, string(word))
	}

	return out
}

func seconds(n *int32) time.Duration {
	if n == nil || *n <= 0 {
		return defaultTimeoutSeconds * time.Second
	}

	return time.Duration(*n) * time.Second
}
