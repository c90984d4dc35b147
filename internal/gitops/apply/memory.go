package apply

import (
	"crypto/sha256"
	"encoding/json"
	"hash/fnv"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dogker/dogker/reconciler/delivery"
	"github.com/dogker/dogker/reconciler/inventory"
)

// memory is what is known of objects that were found as they should be. It only saves questions: without it, after a restart,
// everything is asked about once.
type memory struct {
	mu    sync.Mutex
	syncs map[types.NamespacedName]map[inventory.ID]known
}

// known is an object for which the API has said that applying it changes nothing.
type known struct {
	// desired is what was applied, and under which terms.
	desired [sha256.Size]byte
	// live is what the object looked like when that was so.
	live imprint
	// until is when it is asked about again even so. Its kind may have new defaults, and admission other rules.
	until time.Time
}

// imprint is what of an object's metadata changes when anything changes that applying could change.
type imprint struct {
	uid types.UID
	// generation moves with everything but metadata and status. Kinds without one have none of that which moves by itself, and
	// are known by their version.
	generation int64
	version    string
	// meta is a digest of the metadata that people and other controllers write.
	meta [sha256.Size]byte
}

// imprintOf is the same for two looks at an object between which at most its status has changed.
func imprintOf(o metav1.Object) imprint {
	p := imprint{uid: o.GetUID(), generation: o.GetGeneration()}
	if p.generation == 0 {
		p.version = o.GetResourceVersion()
	}

	var owned []metav1.ManagedFieldsEntry

	for _, entry := range o.GetManagedFields() {
		if entry.Subresource == "" {
			// The time moves without the fields, and the fields do not move without the rest.
			entry.Time = nil
			owned = append(owned, entry)
		}
	}

	// Marshalling maps of text sorts them, and cannot fail.
	raw, _ := json.Marshal([]any{o.GetLabels(), o.GetAnnotations(), o.GetOwnerReferences(), o.GetFinalizers(), o.GetDeletionTimestamp(), owned})
	p.meta = sha256.Sum256(raw)

	return p
}

// digest is what is applied, and under which terms.
func (it *item) digest(r delivery.Request) [sha256.Size]byte {
	raw, _ := json.Marshal([]any{it.object.Object, it.policy, r.ServiceAccount, r.Ignore})

	return sha256.Sum256(raw)
}

// knows is whether nothing has to be asked about the object.
func (m *memory) knows(r delivery.Request, it *item, live metav1.Object, now time.Time) bool {
	m.mu.Lock()
	k, found := m.syncs[r.Sync][it.id]
	m.mu.Unlock()

	return found && now.Before(k.until) && k.live == imprintOf(live) && k.desired == it.digest(r)
}

// learn remembers that the object is as it should be. recheck is cut by up to a quarter, by the object's name, so that what
// was applied together is not asked about together.
func (m *memory) learn(r delivery.Request, it *item, live metav1.Object, now time.Time, recheck time.Duration) {
	h := fnv.New32a()
	_, _ = h.Write([]byte(it.id.String()))
	cut := time.Duration(float64(recheck) / 4 * float64(h.Sum32()%1000) / 1000)

	k := known{desired: it.digest(r), live: imprintOf(live), until: now.Add(recheck - cut)}

	m.mu.Lock()
	defer m.mu.Unlock()

	if m.syncs == nil {
		m.syncs = map[types.NamespacedName]map[inventory.ID]known{}
	}

	if m.syncs[r.Sync] == nil {
		m.syncs[r.Sync] = map[inventory.ID]known{}
	}

	m.syncs[r.Sync][it.id] = k
}

// keep forgets all of a sync but what is built now.
func (m *memory) keep(sync types.NamespacedName, items []*item) {
	m.mu.Lock()
	defer m.mu.Unlock()

	left := make(map[inventory.ID]known, len(items))

	for _, it := range items {
		if k, found := m.syncs[sync][it.id]; found {
			left[it.id] = k
		}
	}

	if len(left) == 0 {
		delete(m.syncs, sync)
	} else {
		m.syncs[sync] = left
	}
}

func (m *memory) forget(sync types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()

	delete(m.syncs, sync)
}
