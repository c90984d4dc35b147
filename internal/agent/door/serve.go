package door

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/internal/agent/pki"
	"github.com/dogker/dogker/reconciler/logkey"
)

// about says who the agent is, and what time it has.
func (d *Door) about(w http.ResponseWriter, _ *http.Request) {
	a := d.o.About
	a.Round, a.Expires, a.Now = d.o.Ring.Last(), d.o.Node.Expires(), time.Now()
	answer(w, http.StatusOK, a)
}

// reports answers with what follows a round, as soon as there is something.
func (d *Door) reports(w http.ResponseWriter, r *http.Request) {
	after, err := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	if err != nil || after < 0 {
		d.refuse(w, r, http.StatusBadRequest, fmt.Errorf("query: after: %s must be the number of a round", printable(r.URL.Query().Get("after"))))
		return
	}
	// Rounds of another start of the agent say nothing about those of this one.
	if r.URL.Query().Get("agent") != d.o.About.Agent {
		after = 0
	}
	if !d.own.enter() {
		d.refuse(w, r, http.StatusTooManyRequests, d.own.full())
		return
	}
	defer d.own.leave()

	ctx, cancel := context.WithTimeout(r.Context(), agent.PollPatience)
	defer cancel()

	w.Header().Set("Content-Type", agent.ReportsType)
	found := d.o.Ring.After(ctx, after)
	if len(found) > 0 {
		err = send(w, found, strings.Contains(r.Header.Get("Accept-Encoding"), "gzip"))
	}
	if err != nil && r.Context().Err() == nil {
		d.o.Log.DebugContext(r.Context(), "Reports were not taken", logkey.Err, err)
	}
}

// send writes compressed files in a row, which are one, too.
func send(w http.ResponseWriter, files [][]byte, compressed bool) error {
	if !compressed {
		return sendPlain(w, files)
	}

	w.Header().Set("Content-Encoding", "gzip")
	for _, f := range files {
		if _, err := w.Write(f); err != nil {
			return err
		}
	}

	return nil
}

func sendPlain(w io.Writer, files [][]byte) error {
	readers := make([]io.Reader, len(files))
	for i, f := range files {
		readers[i] = strings.NewReader(string(f))
	}

	plain, err := gzip.NewReader(io.MultiReader(readers...))
	if err != nil {
		return err
	}
	_, err = io.Copy(w, plain) //nolint:gosec // We have compressed it ourselves.

	return err
}

// request hands out what a server needs to certify the agent.
func (d *Door) request(w http.ResponseWriter, r *http.Request) {
	asked, err := d.o.Node.Request()
	if err != nil {
		d.refuse(w, r, http.StatusInternalServerError, err)
		return
	}
	answer(w, http.StatusOK, asked)
}

// certificate takes what a server has certified.
func (d *Door) certificate(w http.ResponseWriter, r *http.Request) {
	var c pki.Certificate
	if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&c); err != nil {
		d.refuse(w, r, http.StatusBadRequest, errors.New("the body cannot be read"))
		return
	}
	if err := d.o.Node.Accept(c); err != nil {
		d.refuse(w, r, http.StatusBadRequest, err)
		return
	}
	d.o.Log.InfoContext(r.Context(), "Certified as the agent of this node", logkey.Node, d.o.About.Node, "until", d.o.Node.Expires())
	answer(w, http.StatusOK, struct{}{})
}
