package gitsync

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	lifecycle "github.com/dogker/dogker/reconciler/gitsync"
	"github.com/dogker/dogker/reconciler/inventory"
)

// entries are what a status has on record.
func entries(i *gitopsv1.Inventory) []inventory.Entry {
	if i == nil {
		return nil
	}

	out := make([]inventory.Entry, 0, len(i.Entries))
	for _, e := range i.Entries {
		out = append(out, inventory.Entry(e))
	}

	return out
}

// inventoryOf is how a record stands in a status.
func inventoryOf(entries []inventory.Entry) *gitopsv1.Inventory {
	if len(entries) == 0 {
		return nil
	}

	out := &gitopsv1.Inventory{}
	for _, e := range entries {
		out.Entries = append(out.Entries, gitopsv1.InventoryEntry(e))
	}

	return out
}

// covers is whether everything that is about to be applied is on record.
func covers(stored *gitopsv1.Inventory, wanted []inventory.Entry) bool {
	known := map[string]bool{}
	for _, e := range entries(stored) {
		known[e.ID] = true
	}

	return !slices.ContainsFunc(wanted, func(e inventory.Entry) bool { return !known[e.ID] })
}

func historyOf(results []gitopsv1.SyncResult) []lifecycle.Result {
	out := make([]lifecycle.Result, 0, len(results))
	for _, r := range results {
		out = append(out, lifecycle.Result{
			Revision: r.Revision, Reason: r.Reason, Message: r.Message, Time: r.Time.Time, Duration: r.Duration.Duration,
			Created: int(r.Created), Configured: int(r.Configured), Deleted: int(r.Deleted),
		})
	}

	return out
}

func historyFrom(results []lifecycle.Result) []gitopsv1.SyncResult {
	out := make([]gitopsv1.SyncResult, 0, len(results))
	for _, r := range results {
		out = append(out, gitopsv1.SyncResult{
			Revision: r.Revision, Reason: r.Reason, Message: r.Message, Time: metav1.NewTime(r.Time).Rfc3339Copy(),
			Duration: metav1.Duration{Duration: r.Duration},
			Created:  int32(r.Created), Configured: int32(r.Configured), Deleted: int32(r.Deleted), //nolint:gosec // a few thousand at most
		})
	}

	return out
}

// maxHistoryText keeps five results from being the larger part of a status.
const maxHistoryText = 256

func shorten(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}

	return text
}
