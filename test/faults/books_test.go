package faults

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/converge"
	"github.com/dogker/dogker/reconciler/money"
)

// books are the ledgers of all tenants in memory: package book with the promises of internal/ledger, which has tests of its
// own. An operation is done once for its key, and by the leader of the newest term alone.
type books struct {
	mu      sync.Mutex
	states  map[string]book.State
	done    map[string]string // hashes of requests, by tenant and key
	entries map[string][]book.Entry
	term    book.Term
	tell    func(tenant string)
}

func newBooks() *books {
	return &books{states: map[string]book.State{}, done: map[string]string{}, entries: map[string][]book.Entry{}, tell: func(string) {}}
}

// begin begins the term of a process.
func (b *books) begin(seam *converge.Seam) till {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.term++

	return till{seam: seam, books: b, term: b.term}
}

// subscribe tells the process that began last of each write.
func (b *books) subscribe(tell func(tenant string)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tell = tell
}

func (b *books) state(tenant string) book.State {
	s, known := b.states[tenant]
	if !known {
		s.Head = book.NewHead(tenant)
	}

	return s
}

func (b *books) do(req book.Request, term book.Term) (book.Result, error) {
	b.mu.Lock()
	defer b.mu.Unlock()

	if term != b.term {
		return book.Result{}, book.ErrFenced
	}

	before, key := b.state(req.Tenant), req.Tenant+" "+req.Op.Key()
	if hash, again := b.done[key]; again && req.Op.Key() != "" {
		if hash != book.RequestHash(req.Op) {
			return book.Result{}, book.ErrConflict
		}

		return book.Result{Head: before.Head.Clone(), Replayed: true}, nil
	}

	out, err := book.Apply(before, req.Op, req.Decide, time.Now())
	if err != nil {
		return book.Result{}, err
	}

	out.State.Order = book.Order{}
	b.states[req.Tenant], b.done[key] = out.State, book.RequestHash(req.Op)
	b.entries[req.Tenant] = append(b.entries[req.Tenant], out.Entries...)

	go b.tell(req.Tenant)

	return book.Result{Head: out.State.Head.Clone(), Entries: out.Entries}, nil
}

// pay credits a payment as the controller of payments does.
func (b *books) pay(r *converge.Run, tenant, order string, rupiah int64) {
	op := book.TopUp{Order: order, Transaction: "tx-" + order, Amount: money.Micro(rupiah) * money.Rupiah}
	_, err := b.do(book.Request{Tenant: tenant, Op: op, Decide: termsNow(r, tenant).Decide(time.Now)}, b.newest())
	must(err)
}

func (b *books) newest() book.Term {
	b.mu.Lock()
	defer b.mu.Unlock()

	return b.term
}

// termsNow are the terms of a tenant by what the store holds.
func termsNow(r *converge.Run, tenant string) billing.Terms {
	terms, err := billing.NewDesk(storeReader{r.Store}).Terms(context.Background(), tenant)
	must(err)

	return terms
}

// storeReader reads from the store past all caches and faults.
type storeReader struct{ store *converge.Store }

func (s storeReader) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	if !s.store.Get(key.Namespace, key.Name, into) {
		return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
	}

	return nil
}

func (s storeReader) List(_ context.Context, list client.ObjectList, opts ...client.ListOption) error {
	s.store.List(list, opts...)

	return nil
}

// lines say what is in the books. The phase is in the account for as long as there is one; what it was at the end depends on
// whether prices were known then.
func (b *books) lines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()

	var out []string

	for tenant, entries := range b.entries {
		if len(entries) == 0 {
			continue
		}

		var types []string
		for _, e := range entries {
			types = append(types, string(e.Type))
		}

		out = append(out, fmt.Sprintf("ledger %s balance %s entries %s", tenant, b.states[tenant].Head.Balance(), strings.Join(types, " ")))
	}

	return out
}

// till is a process's way to the books, through its seam.
type till struct {
	seam  *converge.Seam
	books *books
	term  book.Term
}

var errNoAnswer = errors.New("the ledger does not answer")

// Head implements account.Ledger.
func (t till) Head(ctx context.Context, tenant string) (book.Head, error) {
	kind, err := t.seam.Enter(ctx, converge.Call{Seam: "Ledger", Op: "Head", Target: tenant})
	if err != nil {
		return book.Head{}, err
	}
	if kind != "" {
		return book.Head{}, errNoAnswer
	}

	t.books.mu.Lock()
	defer t.books.mu.Unlock()

	return t.books.state(tenant).Head.Clone(), nil
}

// Do implements account.Ledger.
func (t till) Do(ctx context.Context, req book.Request) (book.Result, error) {
	target := strings.TrimPrefix(fmt.Sprintf("%T", req.Op), "book.") + "/" + req.Tenant

	kind, err := t.seam.Enter(ctx, converge.Call{Seam: "Ledger", Op: "Do", Target: target, Write: true})
	if err != nil {
		return book.Result{}, err
	}

	switch kind {
	case converge.Refuse, converge.Hang:
		return book.Result{}, errNoAnswer
	case converge.Late:
		time.AfterFunc(converge.LateTime, func() { _, _ = t.books.do(req, t.term) })

		return book.Result{}, book.ErrUnknown
	}

	result, err := t.books.do(req, t.term)
	if kind == converge.Lose && err == nil {
		result, err = book.Result{}, book.ErrUnknown
	}
	if crashed := t.seam.Leave(kind); crashed != nil {
		return book.Result{}, crashed
	}

	return result, err
}
