package door

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"
)

// newProxy passes on what has been judged, which is in the context of the request.
func (d *Door) newProxy() *httputil.ReverseProxy {
	dialer := net.Dialer{Timeout: inspectPatience}

	return &httputil.ReverseProxy{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, "unix", d.o.Socket)
			},
			DisableCompression: true,
			MaxIdleConns:       8,
			IdleConnTimeout:    time.Minute,
		},
		FlushInterval: -1,
		Rewrite:       rewrite,
		ModifyResponse: func(resp *http.Response) error {
			c := judged(resp.Request)
			switch {
			case c.target.rule.creates:
				return d.execs.learn(resp, c.target.container)
			case c.target.rule.reduces != nil && resp.StatusCode == http.StatusOK:
				return c.target.rule.reduces(resp)
			case c.target.rule.thaws && resp.StatusCode < http.StatusMultipleChoices:
				d.leases.end(c.target.container)
			}

			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			d.refuse(w, r, http.StatusBadGateway, fmt.Errorf("the engine does not answer: %w", err))
		},
		ErrorLog: slog.NewLogLogger(d.o.Log.Handler(), slog.LevelDebug),
	}
}

// call is a request that may pass, as it is to be sent.
type call struct {
	target target
	query  map[string]string
	body   []byte
}

type callKey struct{}

func judged(r *http.Request) *call { return r.Context().Value(callKey{}).(*call) } //nolint:forcetypeassert // Only ServeHTTP proxies.

// rewrite makes the request that is sent, from what was understood of the one that came.
func rewrite(p *httputil.ProxyRequest) {
	c := judged(p.In)
	header := http.Header{}
	if c.target.rule.upgrades {
		header.Set("Connection", "Upgrade")
		header.Set("Upgrade", "tcp")
	}
	if c.body != nil || c.target.rule.takes {
		header.Set("Content-Type", cmp.Or(c.target.rule.sends, "application/json"))
	}

	p.Out.Header, p.Out.Trailer = header, nil
	p.Out.Host = "engine"
	p.Out.URL = &url.URL{Scheme: "http", Host: "engine", Path: c.target.path(), RawQuery: encoded(c.query)}
	p.Out.TransferEncoding = nil
	if c.target.rule.takes {
		return // The body goes through as it comes.
	}
	p.Out.Body, p.Out.ContentLength = http.NoBody, 0
	if c.body != nil {
		p.Out.Body, p.Out.ContentLength = io.NopCloser(bytes.NewReader(c.body)), int64(len(c.body))
	}
}
