package outbox

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Fate is what has become of a notice.
type Fate string

// What becomes of notices.
const (
	// FateWaiting is that it was not delivered to everybody yet, and is tried again.
	FateWaiting Fate = "Waiting"
	// FateDelivered is that everybody has it.
	FateDelivered Fate = "Delivered"
	// FateGivenUp is that somebody does not have it and is not going to.
	FateGivenUp Fate = "GivenUp"
	// FateNobody is that there was nobody to tell.
	FateNobody Fate = "Nobody"
	// FateDropped is that it is not in the store: it was pushed out, or was never there.
	FateDropped Fate = "Dropped"
)

var fates = map[string]Fate{outcomeDelivered: FateDelivered, outcomeGivenUp: FateGivenUp, outcomeNobody: FateNobody}

// endOf is what stays in the store of a notice that is over.
func endOf(r *record, now time.Time) string {
	return now.UTC().Format(time.RFC3339) + " " + r.outcome()
}

// Fate is what has become of a notice of a tenant, and why it waits, if it was tried in vain, in words for operators.
func (q *Queue) Fate(ctx context.Context, tenant, id string) (Fate, string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()

	wait, done := waitKey(tenant, id), doneKey(tenant, id)
	got, err := q.client.Txn(ctx).Then(clientv3.OpGet(wait), clientv3.OpGet(done)).Commit()
	if err != nil {
		return "", "", fmt.Errorf("read what became of notice %q of %q: %w", id, tenant, err)
	}
	if kvs := got.Responses[0].GetResponseRange().Kvs; len(kvs) > 0 {
		r, err := decode(kvs[0].Key, kvs[0].Value, kvs[0].ModRevision)
		if err != nil {
			return "", "", err
		}
		return FateWaiting, r.problems(), nil
	}
	if kvs := got.Responses[1].GetResponseRange().Kvs; len(kvs) > 0 {
		_, outcome, _ := strings.Cut(string(kvs[0].Value), " ")
		if fate, known := fates[outcome]; known {
			return fate, "", nil
		}
		return FateDelivered, "", nil // An older version has written it, and has not said how.
	}

	return FateDropped, "", nil
}

// problems are the errors of the last tries.
func (r *record) problems() string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(r.To)) {
		if e := r.To[key].Error; e != "" {
			all = append(all, key+": "+e)
		}
	}

	return strings.Join(all, "; ")
}
