package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/dogker/dogker/reconciler/payment"
)

const (
	// maxLetters is how many different notifications are kept of an order: more than any payment has states. Whoever has
	// one good signature can make many bodies with it.
	maxLetters = 16
	// lettersLive is how long they are kept: longer than anybody may dispute a payment that was made by them.
	lettersLive = 120 * 24 * time.Hour
	// watchPause is how long it waits before it watches again when watching has failed.
	watchPause = time.Second
)

// Letter is what is kept of a notification: what it claims, and nothing by which a payer, or a card, could be known.
type Letter struct {
	Order string `json:"order"`
	// Transaction and TransactionID are what it says has become of which payment; Code and Gross what it was signed with.
	Transaction   string `json:"transaction"`
	TransactionID string `json:"transactionID"`
	Code          string `json:"code"`
	Gross         string `json:"gross"`
	// Digest is the SHA-256 of the whole body.
	Digest string `json:"digest"`
	// Time it arrived, in Unix time.
	Time int64 `json:"time"`
}

// Inbox keeps notifications of the payment gateway, and lets the server that leads know of those that arrived at another.
type Inbox struct {
	client *clientv3.Client
	now    func() time.Time
}

// NewInbox makes an inbox on a store.
func NewInbox(client *clientv3.Client, now func() time.Time) *Inbox {
	return &Inbox{client: client, now: now}
}

// Keep keeps a notification whose signature is right. It is idempotent. What comes when an order has as many as are kept
// of one is left out.
func (b *Inbox) Keep(ctx context.Context, n payment.Notification) error {
	if err := b.keep(ctx, n); err != nil {
		return fmt.Errorf("keep notification of order %q: %w", n.OrderID, err)
	}

	return nil
}

func (b *Inbox) keep(ctx context.Context, n payment.Notification) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()

	kept, err := b.client.Get(ctx, inboxOf(n.OrderID), clientv3.WithPrefix(), clientv3.WithKeysOnly(), clientv3.WithLimit(maxLetters))
	if err != nil || len(kept.Kvs) >= maxLetters {
		return err
	}
	key := inboxKey(n.OrderID, n.Digest)
	for _, kv := range kept.Kvs {
		if string(kv.Key) == key {
			return nil
		}
	}

	// The store itself forgets it, whoever leads by then.
	life, err := b.client.Grant(ctx, int64(lettersLive/time.Second))
	if err != nil {
		return err
	}
	letter := encode(Letter{
		Order: n.OrderID, Transaction: string(n.Transaction), TransactionID: n.TransactionID,
		Code: n.Code, Gross: n.Gross, Digest: n.Digest, Time: b.now().Unix(),
	})
	got, err := b.client.Txn(ctx).
		If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).
		Then(clientv3.OpPut(key, letter, clientv3.WithLease(life.ID))).
		Commit()
	if err == nil && !got.Succeeded {
		_, err = b.client.Revoke(ctx, life.ID)
	}

	return err
}

// Follow tells the order of each notification that is kept from now on, by whichever server, until the context ends. What
// arrives while the store cannot be watched is not told; orders are looked at from time to time without being notified of.
func (b *Inbox) Follow(ctx context.Context, tell func(order string)) {
	for ctx.Err() == nil {
		for got := range b.client.Watch(ctx, inboxPrefix, clientv3.WithPrefix(), clientv3.WithFilterDelete(), clientv3.WithKeysOnly()) {
			for _, e := range got.Events {
				order, _, _ := strings.Cut(strings.TrimPrefix(string(e.Kv.Key), inboxPrefix), "/")
				tell(order)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(watchPause):
		}
	}
}
