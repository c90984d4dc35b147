package books

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/internal/ledger"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/logkey"
)

// export streams what was asked for. Nothing is sent before the first piece of it is there, so that what fails at once is
// told as an error.
func (s *Server) export(ctx context.Context, w http.ResponseWriter, tenant string, account Account, q query) error {
	start, err := s.o.Books.Start(ctx, tenant)
	if err != nil {
		return err
	}
	if err := s.reaches(ctx, tenant, start, q, account.UTCOffsetHours); err != nil {
		return err
	}
	items := following(s.o.Books.Items(ctx, tenant, start.Seq+1), start.Seq+1)
	out := &stream{ResponseWriter: w, contentType: "text/csv; charset=utf-8", name: s.fileName(tenant, q)}
	switch q.format {
	case FormatJSON:
		out.contentType = "application/json"
		err = ledger.WriteJSON(out, tenant, start.Balance(), items, q.from, q.to)
	case FormatCSV:
		err = ledger.WriteCSV(out, start.Balance(), items, q.from, q.to)
	case FormatFOCUS:
		err = ledger.WriteFOCUS(out, ledger.FOCUSInfo{
			Tenant: tenant, Name: account.Name, Provider: s.o.Provider, Region: s.o.Region,
			UTCOffsetHours: account.UTCOffsetHours, Lots: start.Lots,
		}, start.Balance(), items, q.from, q.to)
	case FormatCosts:
		err = ledger.WriteCosts(out, tenant, account.UTCOffsetHours, items, q.from, q.to)
	}
	if err != nil && out.begun {
		if ctx.Err() == nil {
			s.o.Log.WarnContext(ctx, "An export of a ledger ended before its end", logkey.Tenant, tenant, logkey.Err, err)
		}
		// Whoever reads it must not take what came so far for all there is.
		panic(http.ErrAbortHandler)
	}

	return err
}

// reaches refuses a span that begins before what is still in the store: half a month would look like a month. Ledgers are
// archived by months.
func (s *Server) reaches(ctx context.Context, tenant string, start book.Head, q query, offsetHours int32) error {
	if start.Seq == 0 || q.whole {
		return nil
	}
	for item, err := range s.o.Books.Items(ctx, tenant, start.Seq+1) {
		if err != nil {
			return err
		}
		first := book.MonthAt(item.Entry.Effective(), offsetHours)
		if q.from < first.Start() {
			return apierrors.NewBadRequest(fmt.Sprintf("the ledger begins with %s: what was before is archived", first))
		}
		break
	}

	return nil
}

func (s *Server) fileName(tenant string, q query) string {
	extension := "csv"
	if q.format == FormatJSON {
		extension = "json"
	}
	day := func(unix int64) string { return time.Unix(unix, 0).UTC().Format("20060102T150405Z") }

	return fmt.Sprintf("%s-%s-%s-%s.%s", tenant, q.format, day(q.from), day(q.to), extension)
}

// errMoved is a ledger that was archived between two reads. The next try finds it at rest.
var errMoved = errors.New("the ledger was archived meanwhile")

// following makes sure that items begin where the balance that is known ends.
func following(items iter.Seq2[book.Item, error], first int64) iter.Seq2[book.Item, error] {
	return func(yield func(book.Item, error) bool) {
		begun := false
		for item, err := range items {
			if err == nil && !begun && item.Entry.Seq != first {
				err = apierrors.NewServiceUnavailable(errMoved.Error())
			}
			begun = true
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}

// stream sends its header with the first byte.
type stream struct {
	http.ResponseWriter

	contentType, name string
	begun             bool
}

var _ io.Writer = (*stream)(nil)

// Write implements io.Writer.
func (s *stream) Write(p []byte) (int, error) {
	if !s.begun {
		s.begun = true
		s.Header().Set("Content-Type", s.contentType)
		s.Header().Set("Content-Disposition", "attachment; filename="+strconv.Quote(s.name))
		// A browser that is shown this takes it for nothing but what it is.
		s.Header().Set("X-Content-Type-Options", "nosniff")
		s.Header().Set("Cache-Control", "no-store")
		s.WriteHeader(http.StatusOK)
	}

	return s.ResponseWriter.Write(p)
}

// fail answers with an error as Kubernetes' API does, so that its clients understand it.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, tenant string, err error) {
	var told apierrors.APIStatus
	status := metav1.Status{}
	if errors.As(err, &told) {
		status = told.Status()
	} else {
		s.o.Log.ErrorContext(r.Context(), "A request about a ledger failed", logkey.Tenant, tenant, logkey.Err, err)
		status = apierrors.NewInternalError(err).Status()
	}
	status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
	if status.Details != nil && status.Details.RetryAfterSeconds > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(status.Details.RetryAfterSeconds)))
	}
	writeJSON(w, int(status.Code), status)
}

func writeJSON(w http.ResponseWriter, code int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(answer)
}
