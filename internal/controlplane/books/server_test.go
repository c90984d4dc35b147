package books

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/endpoints/request"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/internal/ledger"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

var begin = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// shelf is a ledger in memory, of acme.
type shelf struct {
	state book.State
	items []book.Item
	start book.Head
	// fails is what reading comes to after so many items.
	fails   error
	after   int
	verify  error
	blocked chan struct{}
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{state: book.State{Head: book.NewHead("acme")}, start: book.NewHead("acme"), after: 1 << 30}
	s.do(t, 24*time.Hour, book.TopUp{Order: "o1", Transaction: "t1", Amount: 1000 * money.Rupiah})
	first := book.WindowAt(begin.Add(48 * time.Hour))
	s.do(t, 49*time.Hour, book.Charge{
		From: first, Through: first + 59, Settle: true, PriceList: "standard",
		Lines: []book.Line{{Workload: "TenantContainer/web/u1", Meter: money.CPU, Quantity: 2_000_000_000, Seconds: 3600, Price: 7 * money.Rupiah}},
	})
	s.do(t, 40*24*time.Hour, book.TopUp{Order: "o2", Transaction: "t2", Amount: 500 * money.Rupiah})

	return s
}

func (s *shelf) do(t *testing.T, after time.Duration, op book.Op) {
	t.Helper()
	s.state.Order = book.Order{}
	out, err := book.Apply(s.state, op, nil, begin.Add(after))
	if err != nil {
		t.Fatal(err)
	}
	s.state = out.State
	for _, e := range out.Entries {
		item := book.Item{Entry: e}
		if e.Type == book.TypeUsage {
			item.Record = &out.Settled[0]
		}
		s.items = append(s.items, item)
	}
}

func (s *shelf) Head(_ context.Context, tenant string) (book.Head, error) {
	if s.blocked != nil {
		<-s.blocked
	}
	if tenant != "acme" {
		return book.NewHead(tenant), nil
	}

	return s.state.Head, nil
}

func (s *shelf) Start(context.Context, string) (book.Head, error) { return s.start, nil }

func (s *shelf) Items(_ context.Context, tenant string, from int64) iter.Seq2[book.Item, error] {
	return func(yield func(book.Item, error) bool) {
		for n, item := range s.items {
			if n == s.after {
				yield(book.Item{}, s.fails)
				return
			}
			if tenant == "acme" && item.Entry.Seq >= from && !yield(item, nil) {
				return
			}
		}
	}
}

func (s *shelf) Verify(context.Context, string) (ledger.Report, error) {
	return ledger.Report{Tenant: "acme", FirstSeq: 1, LastSeq: 3, Hash: "abc", Balance: 1486 * money.Rupiah, Entries: 3, Records: 1}, s.verify
}

// accounts knows acme's.
type accounts struct {
	err   error
	since int64
}

func (a accounts) Account(_ context.Context, tenant string) (Account, error) {
	return Account{Name: "Acme Corp", UTCOffsetHours: 7, Since: a.since, Exists: tenant == "acme" || tenant == "new"}, a.err
}

func newServer(s *shelf, a Accounts) *Server {
	return New(Options{
		Books: s, Accounts: a, Provider: "Example Cloud", Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return begin.Add(50 * 24 * time.Hour) },
	})
}

// ask makes a request for the ledger of a tenant, as it arrives behind authorization.
func ask(ctx context.Context, s *Server, method, tenant, query string) *httptest.ResponseRecorder {
	verb := map[string]string{http.MethodGet: "get", http.MethodPost: "create", http.MethodDelete: "delete", http.MethodHead: "get"}[method]
	info := &request.RequestInfo{
		IsResourceRequest: true, Verb: verb, APIGroup: billingv1.GroupVersion.Group, APIVersion: billingv1.GroupVersion.Version,
		Resource: "billingaccounts", Subresource: Subresource, Namespace: tenant, Name: billingv1.AccountName,
	}
	r := httptest.NewRequest(method, "/?"+query, nil)
	w := httptest.NewRecorder()
	teapot := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	s.Handler(teapot).ServeHTTP(w, r.WithContext(request.WithRequestInfo(ctx, info)))

	return w
}

func TestExport(t *testing.T) {
	s := newServer(newShelf(t), accounts{})
	for claim, tc := range map[string]struct {
		reason, query string
		contentType   string
		// has is in the answer, and lacks is not.
		has, lacks []string
	}{
		"Everything": {"Without parameters it is all there is, as JSON.", "", "application/json", []string{`"closing":"1486.000000"`, `"seq":3`}, nil},
		"Month":      {"A month is the account's.", "format=csv&month=2026-11", "text/csv", []string{"TopUp", "topup:o1", "-14.000000"}, []string{"o2"}},
		"December":   {"The balance goes on.", "format=csv&month=2026-12", "text/csv", []string{"1486.000000"}, []string{"o1"}},
		"Span":       {"A span has two ends, and an offset of its own.", "format=json&from=2026-12-01T07:00:00%2B07:00&to=2027-01-01T00:00:00Z", "application/json", []string{`"opening":"986.000000"`}, []string{`"seq":1,`}},
		"FOCUS":      {"FOCUS names who sells and who buys.", "format=focus&month=2026-11", "text/csv", []string{"BilledCost", "Example Cloud", "Acme Corp"}, nil},
		"Costs":      {"Costs have no payments.", "format=costs&month=2026-11&timeout=30s", "text/csv", []string{"2026-11-03,acme,TenantContainer,web,u1,14.000000"}, []string{"1000"}},
	} {
		t.Run(claim, func(t *testing.T) {
			w := ask(t.Context(), s, http.MethodGet, "acme", tc.query)
			if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), tc.contentType) || w.Header().Get("Cache-Control") != "no-store" {
				t.Fatalf("%s\ngot %d %v %s", tc.reason, w.Code, w.Header(), w.Body)
			}
			for _, text := range tc.has {
				if !strings.Contains(w.Body.String(), text) {
					t.Errorf("%s\n%q is not in\n%s", tc.reason, text, w.Body)
				}
			}
			for _, text := range tc.lacks {
				if strings.Contains(w.Body.String(), text) {
					t.Errorf("%s\n%q is in\n%s", tc.reason, text, w.Body)
				}
			}
		})
	}
}

// TestNamesake: a tenant that was made under the name of one that is gone reads nothing of that one.
func TestNamesake(t *testing.T) {
	december := time.Date(2026, 12, 1, 0, 0, 0, 0, time.FixedZone("", 7*3600))
	s := newServer(newShelf(t), accounts{since: december.Unix()})
	for _, format := range Formats() {
		if w := ask(t.Context(), s, http.MethodGet, "acme", "format="+format); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "o1") || strings.Contains(w.Body.String(), "14.000000") {
			t.Errorf("%s: got %d %s", format, w.Code, w.Body)
		}
	}
	if w := ask(t.Context(), s, http.MethodGet, "acme", "month=2026-11"); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "begins with 2026-11-30T17:00:00Z") {
		t.Errorf("a month before it was made: got %d %s", w.Code, w.Body)
	}
}

func TestRefusals(t *testing.T) {
	for claim, tc := range map[string]struct {
		reason, method, tenant, query string
		want                          int
		says                          string
	}{
		"Write":         {"There are no write verbs.", http.MethodPost, "acme", "", 405, "create"},
		"Delete":        {"There is nothing to delete either.", http.MethodDelete, "acme", "", 405, "delete"},
		"Head":          {"Whoever wants nothing need not ask.", http.MethodHead, "acme", "", 405, ""},
		"NoTenant":      {"Without account and entries there are no books.", http.MethodGet, "nobody", "", 404, "not found"},
		"NoSuchName":    {"A namespace that no tenant can have.", http.MethodGet, "a.b", "", 404, "not found"},
		"Format":        {"What is allowed is named.", http.MethodGet, "acme", "format=xlsx", 400, `parameter format: invalid value: "xlsx": must be one of json, csv, focus, costs`},
		"Month":         {"What is allowed is named.", http.MethodGet, "acme", "month=11", 400, "parameter month"},
		"MonthAndFrom":  {"One of the two is meant.", http.MethodGet, "acme", "month=2026-11&from=2026-11-01T00:00:00Z", 400, "goes with neither"},
		"From":          {"A day is no time.", http.MethodGet, "acme", "from=2026-11-01", 400, "parameter from"},
		"Backwards":     {"Time has a direction.", http.MethodGet, "acme", "from=2026-12-01T00:00:00Z&to=2026-11-01T00:00:00Z", 400, "must be after from"},
		"Twice":         {"Neither of two counts.", http.MethodGet, "acme", "format=csv&format=json", 400, "once"},
		"Unknown":       {"A parameter that does nothing is one that is spelled wrong.", http.MethodGet, "acme", "fromat=csv", 400, "parameter fromat"},
		"VerifyAMonth":  {"A chain is verified as a whole.", http.MethodGet, "acme", "verify=true&month=2026-11", 400, "goes with no other"},
		"VerifyPerhaps": {"It is true or false.", http.MethodGet, "acme", "verify=1", 400, "parameter verify"},
	} {
		t.Run(claim, func(t *testing.T) {
			w := ask(t.Context(), newServer(newShelf(t), accounts{}), tc.method, tc.tenant, tc.query)
			var status metav1.Status
			err := json.Unmarshal(w.Body.Bytes(), &status)
			if w.Code != tc.want || err != nil || int(status.Code) != tc.want || !strings.Contains(status.Message, tc.says) {
				t.Errorf("%s\ngot %d %s, %v", tc.reason, w.Code, w.Body, err)
			}
		})
	}
}

// TestPasses: what is not ours goes on.
func TestPasses(t *testing.T) {
	s := newServer(newShelf(t), accounts{})
	passed := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for claim, info := range map[string]*request.RequestInfo{
		"Account": {IsResourceRequest: true, Verb: "get", APIGroup: "billing.dogker.io", APIVersion: "v1alpha1", Resource: "billingaccounts", Namespace: "acme", Name: "default"},
		"Group":   {IsResourceRequest: true, Verb: "get", APIGroup: "dogker.io", APIVersion: "v1alpha1", Resource: "billingaccounts", Subresource: "ledger", Namespace: "acme", Name: "default"},
		"Version": {IsResourceRequest: true, Verb: "get", APIGroup: "billing.dogker.io", APIVersion: "v2", Resource: "billingaccounts", Subresource: "ledger", Namespace: "acme", Name: "default"},
		"Cluster": {IsResourceRequest: true, Verb: "get", APIGroup: "billing.dogker.io", APIVersion: "v1alpha1", Resource: "billingaccounts", Subresource: "ledger", Name: "default"},
		"Path":    {Path: "/apis"},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		s.Handler(passed).ServeHTTP(w, r.WithContext(request.WithRequestInfo(t.Context(), info)))
		if w.Code != http.StatusTeapot {
			t.Errorf("%s: got %d", claim, w.Code)
		}
	}
}

func TestVerify(t *testing.T) {
	for claim, tc := range map[string]struct {
		reason string
		err    error
		code   int
		valid  bool
	}{
		"Holds":  {"What was read is told.", nil, 200, true},
		"Broken": {"That it breaks is an answer.", fmt.Errorf("entry 2 does not match its hash: %w", book.ErrBroken), 200, false},
		"Newer":  {"What cannot be understood does not hold.", book.ErrNewer, 200, false},
		"Failed": {"That the store does not answer is none.", errors.New("no leader"), 500, false},
	} {
		t.Run(claim, func(t *testing.T) {
			shelf := newShelf(t)
			shelf.verify = tc.err
			w := ask(t.Context(), newServer(shelf, accounts{}), http.MethodGet, "acme", "verify=true")
			var v Verification
			if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != tc.code || v.Valid != tc.valid || (tc.code == 200 && (v.Message == "") != tc.valid) {
				t.Errorf("%s\ngot %d %s, %v", tc.reason, w.Code, w.Body, err)
			}
		})
	}
}

// TestFailures: what fails before the first byte is an error, and what fails afterwards breaks the connection.
func TestFailures(t *testing.T) {
	shelf := newShelf(t)
	shelf.fails, shelf.after = errors.New("no leader"), 1
	if w := ask(t.Context(), newServer(shelf, accounts{}), http.MethodGet, "acme", "format=csv"); w.Code != http.StatusInternalServerError {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if w := ask(t.Context(), newServer(newShelf(t), accounts{err: errors.New("boom")}), http.MethodGet, "acme", ""); w.Code != http.StatusInternalServerError {
		t.Errorf("got %d %s", w.Code, w.Body)
	}

	long := newShelf(t)
	for i := range 200 {
		long.do(t, time.Duration(1000+i)*time.Hour, book.TopUp{Order: fmt.Sprintf("p%d", i), Transaction: "t", Amount: money.Rupiah})
	}
	long.fails, long.after = errors.New("compacted"), 150
	for _, format := range []string{"csv", "json", "focus"} {
		func() {
			defer func() {
				if got := recover(); got != http.ErrAbortHandler {
					t.Errorf("%s: an answer that ends early ends with %v", format, got)
				}
			}()
			w := ask(t.Context(), newServer(long, accounts{}), http.MethodGet, "acme", "format="+format)
			t.Errorf("%s looks complete: %d bytes", format, w.Body.Len())
		}()
	}
}

// TestArchivedMonths: a month that is not there as a whole is refused, and the balance goes on from what was archived.
func TestArchivedMonths(t *testing.T) {
	shelf := newShelf(t)
	replay := book.NewReplay(shelf.start)
	for _, item := range shelf.items[:2] {
		if _, err := replay.Next(item.Entry.Encode()); err != nil {
			t.Fatal(err)
		}
	}
	shelf.start, shelf.items = replay.Head(), shelf.items[2:]
	s := newServer(shelf, accounts{})
	if w := ask(t.Context(), s, http.MethodGet, "acme", "month=2026-11"); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "begins with 2026-12") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if w := ask(t.Context(), s, http.MethodGet, "acme", "month=2026-12"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"opening":"986.000000"`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}

	// Whoever asks for no time gets what there is, however old the tenant.
	for _, since := range []int64{0, begin.Unix()} {
		old := newServer(shelf, accounts{since: since})
		if w := ask(t.Context(), old, http.MethodGet, "acme", ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"opening":"986.000000"`) {
			t.Errorf("all of a tenant since %d: got %d %s", since, w.Code, w.Body)
		}
	}
	old := newServer(shelf, accounts{since: begin.Unix()})
	if w := ask(t.Context(), old, http.MethodGet, "acme", "from=2026-11-03T00:00:00Z"); w.Code != http.StatusBadRequest {
		t.Errorf("from a month that is archived: got %d %s", w.Code, w.Body)
	}

	// Archived between two reads.
	shelf.start = book.NewHead("acme")
	if w := ask(t.Context(), s, http.MethodGet, "acme", ""); w.Code != http.StatusServiceUnavailable {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

// TestRoom: only so many are answered at a time, and none of one tenant's keep others from theirs.
func TestRoom(t *testing.T) {
	shelf := newShelf(t)
	shelf.blocked = make(chan struct{})
	s := newServer(shelf, accounts{})
	codes := make(chan int)
	begin := func(tenant string) {
		before := s.room.count()
		go func() { codes <- ask(t.Context(), s, http.MethodGet, tenant, "").Code }()
		for s.room.count() == before {
			time.Sleep(time.Millisecond)
		}
	}
	for range maxOfTenant {
		begin("acme")
	}
	if w := ask(t.Context(), s, http.MethodGet, "acme", ""); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "5" {
		t.Errorf("one more of a tenant: %d %v", w.Code, w.Header())
	}
	for i := range maxAtOnce - maxOfTenant {
		begin(fmt.Sprintf("other-%d", i))
	}
	if w := ask(t.Context(), s, http.MethodGet, "new", ""); w.Code != http.StatusTooManyRequests {
		t.Errorf("one more of all: %d", w.Code)
	}
	close(shelf.blocked)
	for range maxAtOnce {
		if code := <-codes; code != http.StatusOK && code != http.StatusNotFound {
			t.Errorf("got %d", code)
		}
	}
	if w := ask(t.Context(), s, http.MethodGet, "acme", ""); w.Code != http.StatusOK || s.room.count() != 0 {
		t.Errorf("afterwards: %d, %d places taken", w.Code, s.room.count())
	}
}

func (r *room) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()

	return r.total
}
