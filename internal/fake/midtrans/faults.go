package midtrans

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/dogker/dogker/reconciler/payment"
)

// Fault is what happens to one call instead of the right thing. It may let the right thing happen by calling do, and then
// answer something else, or nothing.
type Fault func(w http.ResponseWriter, r *http.Request, do http.HandlerFunc)

// Script makes the next calls of an operation fail, one fault each, in order.
func (s *Server) Script(op payment.Operation, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()

	s.faults[op] = append(s.faults[op], faults...)
}

// Answer answers with what it says, and does nothing.
func Answer(status int, contentType, body string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// Code answers with a status code of Midtrans and what it says about it, and does nothing.
func Code(code int, message string) Fault {
	return func(w http.ResponseWriter, r *http.Request, do http.HandlerFunc) {
		raw, _ := json.Marshal(map[string]any{"status_code": itoa(code), "status_message": message})
		Answer(code, "application/json", string(raw))(w, r, do)
	}
}

// HTML answers with a page, as proxies do.
func HTML(status int) Fault {
	return Answer(status, "text/html", "<html><body>Bad gateway</body></html>")
}

// Null answers with the JSON null and success.
func Null() Fault { return Answer(http.StatusOK, "application/json", "null") }

// Empty answers with nothing and a status.
func Empty(status int) Fault { return Answer(status, "application/json", "") }

// Redirect sends the caller elsewhere.
func Redirect(url string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) {
		w.Header().Set("Location", url)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
}

// TooMany asks for patience, for seconds.
func TooMany(seconds int) Fault {
	return func(w http.ResponseWriter, r *http.Request, do http.HandlerFunc) {
		w.Header().Set("Retry-After", itoa(seconds))
		Code(http.StatusTooManyRequests, "API rate limit exceeded")(w, r, do)
	}
}

// Endless answers with JSON that does not end.
func Endless() Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status_message":"`)

		for chunk := strings.Repeat("a", 64<<10); ; {
			if _, err := io.WriteString(w, chunk); err != nil {
				return
			}
		}
	}
}

// Hang answers nothing until the caller gives up, and does nothing.
func Hang() Fault {
	return func(_ http.ResponseWriter, r *http.Request, _ http.HandlerFunc) {
		// Until the body is read the server does not notice that the caller has gone.
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}
}

// Drop closes the connection, and does nothing.
func Drop() Fault {
	return func(http.ResponseWriter, *http.Request, http.HandlerFunc) { panic(http.ErrAbortHandler) }
}

// Lost does what is asked, and then what the fault says instead of answering.
func Lost(fault Fault) Fault {
	return func(w http.ResponseWriter, r *http.Request, do http.HandlerFunc) {
		do(httptest.NewRecorder(), r)
		fault(w, r, do)
	}
}

// Rewritten does what is asked, and answers with what edit makes of the answer.
func Rewritten(edit func(body map[string]any)) Fault {
	return func(w http.ResponseWriter, r *http.Request, do http.HandlerFunc) {
		rec := httptest.NewRecorder()
		do(rec, r)

		var body map[string]any

		d := json.NewDecoder(bytes.NewReader(rec.Body.Bytes()))
		d.UseNumber()

		if err := d.Decode(&body); err == nil {
			edit(body)
		}

		raw, _ := json.Marshal(body)
		Answer(rec.Code, "application/json", string(raw))(w, r, do)
	}
}

// WrongOrder does what is asked, and answers as if it had been about another order.
func WrongOrder() Fault {
	return Rewritten(func(body map[string]any) { body["order_id"] = "dk-aaaaaa-00000000000000000000000000" })
}
