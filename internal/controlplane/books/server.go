package books

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/endpoints/request"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/internal/ledger"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/logkey"
)

const (
	// Subresource of an account.
	Subresource = "ledger"
	// retryAfterSeconds is when to come back.
	retryAfterSeconds = 5
)

// Books is the part of the ledger that is read.
type Books interface {
	// Head is how a tenant stands; its Seq is 0 before the first entry.
	Head(ctx context.Context, tenant string) (book.Head, error)
	// Start is what everything that was pruned amounts to.
	Start(ctx context.Context, tenant string) (book.Head, error)
	// Items are the entries from a number on, in order.
	Items(ctx context.Context, tenant string, from int64) iter.Seq2[book.Item, error]
	// Verify replays everything, or says where it breaks.
	Verify(ctx context.Context, tenant string) (ledger.Report, error)
}

// Options of a Server.
type Options struct {
	Books    Books
	Accounts Accounts
	// Provider is who sells, and Region where: what exports say. A region may be empty.
	Provider, Region string
	Log              *slog.Logger
	// Now is the clock; nil for the machine's.
	Now func() time.Time
}

// Server answers requests.
type Server struct {
	o    Options
	room room
}

// New makes a Server.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}

	return &Server{o: o}
}

// Handler answers requests for the subresource. All others go on to next.
func (s *Server) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info, ok := request.RequestInfoFrom(r.Context())
		if !ok || !ours(info) {
			next.ServeHTTP(w, r)
			return
		}
		if err := s.serve(w, r, info); err != nil {
			s.fail(w, r, info.Namespace, err)
		}
	})
}

func ours(info *request.RequestInfo) bool {
	return info.IsResourceRequest && info.APIGroup == billingv1.GroupVersion.Group && info.APIVersion == billingv1.GroupVersion.Version &&
		info.Resource == "billingaccounts" && info.Subresource == Subresource && info.Namespace != ""
}

// serve writes the answer, or returns an error before it has written anything.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, info *request.RequestInfo) error {
	resource := billingv1.GroupVersion.WithResource(info.Resource + "/" + Subresource).GroupResource()
	if info.Verb != "get" || r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		return apierrors.NewMethodNotSupported(resource, info.Verb)
	}
	notFound := apierrors.NewNotFound(billingv1.GroupVersion.WithResource(info.Resource).GroupResource(), info.Name)
	if info.Name != billingv1.AccountName || book.CheckTenant(info.Namespace) != nil {
		return notFound
	}
	if !s.room.enter(info.Namespace) {
		return apierrors.NewTooManyRequests(fmt.Sprintf("%d ledgers are read at a time, and each by %d; come back later", maxAtOnce, maxOfTenant), retryAfterSeconds)
	}
	defer s.room.leave(info.Namespace)

	ctx, tenant := r.Context(), info.Namespace
	account, err := s.o.Accounts.Account(ctx, tenant)
	if err != nil {
		return err
	}
	q, err := parse(r.URL.Query(), account.UTCOffsetHours, s.o.Now())
	if err != nil {
		return err
	}
	head, err := s.o.Books.Head(ctx, tenant)
	if err != nil {
		return err
	}
	if head.Seq == 0 && !account.Exists {
		return notFound
	}
	if q.verify {
		return s.verify(ctx, w, tenant)
	}

	if q.to <= account.Since {
		return apierrors.NewBadRequest(fmt.Sprintf("the ledger of this tenant begins with %s, when it was made", time.Unix(account.Since, 0).UTC().Format(time.RFC3339)))
	}
	q.from = max(q.from, account.Since)

	return s.export(ctx, w, tenant, account, q)
}

// Verification is the answer to verify=true.
type Verification struct {
	metav1.TypeMeta `json:",inline"`

	Tenant string `json:"tenant"`
	// Valid is false when the ledger breaks, and Message says where.
	Valid   bool   `json:"valid"`
	Message string `json:"message,omitempty"`
	// FirstSequence is the first entry that was read: the one after what was archived.
	FirstSequence int64  `json:"firstSequence,omitempty"`
	LastSequence  int64  `json:"lastSequence,omitempty"`
	Hash          string `json:"hash,omitempty"`
	Balance       string `json:"balance,omitempty"`
	Entries       int64  `json:"entries"`
	Records       int64  `json:"records"`
}

// verify replays the ledger. That it breaks is an answer, and not a failure of the request.
func (s *Server) verify(ctx context.Context, w http.ResponseWriter, tenant string) error {
	out := Verification{
		TypeMeta: metav1.TypeMeta{Kind: "LedgerVerification", APIVersion: billingv1.GroupVersion.String()}, Tenant: tenant, Valid: true,
	}
	report, err := s.o.Books.Verify(ctx, tenant)
	switch {
	case errors.Is(err, book.ErrBroken), errors.Is(err, book.ErrNewer):
		out.Valid, out.Message = false, err.Error()
		s.o.Log.ErrorContext(ctx, "A ledger does not verify", logkey.Tenant, tenant, logkey.Err, err)
	case err != nil:
		return err
	default:
		out.FirstSequence, out.LastSequence, out.Hash = report.FirstSeq, report.LastSeq, report.Hash
		out.Balance, out.Entries, out.Records = report.Balance.String(), report.Entries, report.Records
	}
	writeJSON(w, http.StatusOK, out)

	return nil
}
