package agent

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/docker/docker/client"

	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

const (
	// dialPatience bounds how long a connection to an agent may take, handshake and all.
	dialPatience = 5 * time.Second
	// keepAlive finds out about a node that has gone without a word.
	keepAlive = 15 * time.Second
	// PollPatience is how long an agent waits for its next report before it answers that there is none.
	PollPatience = 30 * time.Second
	// maxReport bounds one report, of which no more than one is held at a time, and maxReports those of one answer: it has
	// what an agent of ours packs into a mebibyte. maxRefusal is what is read of an error.
	maxReport  = 8 << 20
	maxReports = 64 << 20
	maxRefusal = 4 << 10
	// dataBuffer is for what is in volumes.
	dataBuffer = 64 << 10
)

// ErrOdd is what an agent answers that no agent of ours does. What it has told before that is as good as any.
var ErrOdd = errors.New("the agent answers what no agent does")

// Client asks one agent. Its errors are of swarmobj's classes: ErrUnavailable when nobody answers, ErrNotFound, ErrRefused.
type Client struct {
	address string
	http    *http.Client
	dial    func(context.Context) (*tls.Conn, error)
}

// NewClient returns a client of the agent at HOST:PORT, which has to be who the configuration says: see pki.Identity. It
// connects when it is first used.
func NewClient(address string, config func() *tls.Config) *Client {
	c := &Client{address: address}
	c.dial = func(ctx context.Context) (*tls.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, dialPatience)
		defer cancel()

		d := tls.Dialer{NetDialer: &net.Dialer{KeepAlive: keepAlive}, Config: config()}
		conn, err := d.DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, fmt.Errorf("%w: connect to agent at %s: %w", swarmobj.ErrUnavailable, address, err)
		}

		return conn.(*tls.Conn), nil //nolint:forcetypeassert // That is what a tls.Dialer returns.
	}
	c.http = &http.Client{Transport: c.transport()}

	return c
}

// transport makes TLS below HTTP: Docker's client upgrades connections of the transport's dialler, and with TLS above it
// uses one of its own, which heeds no context.
func (c *Client) transport() *http.Transport {
	return &http.Transport{
		DialContext:           func(ctx context.Context, _, _ string) (net.Conn, error) { return c.dial(ctx) },
		MaxIdleConnsPerHost:   8,
		IdleConnTimeout:       time.Minute,
		ResponseHeaderTimeout: PollPatience + 15*time.Second,
	}
}

// Close closes connections that nobody uses at the moment.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Docker returns a client of the agent's engine, which does only what the door lets through. The caller closes it.
func (c *Client) Docker() (*client.Client, error) { return c.docker(c.transport()) }

// Data is Docker for what is in volumes. It waits for an answer as long as its caller does: an engine that has got the last byte of
// a volume may still be writing for minutes. The caller closes it.
func (c *Client) Data() (*client.Client, error) {
	t := c.transport()
	t.ResponseHeaderTimeout = 0
	t.ReadBufferSize, t.WriteBufferSize = dataBuffer, dataBuffer

	return c.docker(t)
}

func (c *Client) docker(t *http.Transport) (*client.Client, error) {
	dial := t.DialContext
	h := &http.Client{Transport: t}
	d, err := client.NewClientWithOpts(
		client.WithHTTPClient(h),
		client.WithHost("tcp://"+c.address),
		// WithHost has given the transport a dialler of its own.
		func(*client.Client) error { t.DialContext = dial; return nil },
		client.WithAPIVersionNegotiation(),
	)
	if err != nil {
		return nil, fmt.Errorf("make client of the engine at %s: %w", c.address, err)
	}
	// Docker's client has taken from the transport what it needs, and reads what it is sent to the end.
	h.Transport = bounded{h.Transport}

	return d, nil
}

// About asks the agent who it is.
func (c *Client) About(ctx context.Context) (About, error) {
	var a About

	resp, err := c.get(ctx, PathAbout, nil)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()

	if err := json.NewDecoder(io.LimitReader(resp.Body, maxRefusal)).Decode(&a); err != nil {
		return a, c.garbled(err)
	}

	return a, nil
}

// Reports waits for what follows a round of an agent, and hands it to take one by one, oldest first. There is nothing when
// there is nothing for PollPatience. It begins with the oldest that there is when the agent is another one than that of the
// round. It fails with ErrOdd for reports that cannot be read, or are too large to be true.
func (c *Client) Reports(ctx context.Context, after int64, agent string, take func(telemetry.Report)) error {
	resp, err := c.get(ctx, PathReports, url.Values{paramAfter: {strconv.FormatInt(after, 10)}, paramAgent: {agent}})
	if err != nil {
		return err
	}
	defer resp.Body.Close()

	body := &io.LimitedReader{R: resp.Body, N: maxReports}
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 0, bufio.MaxScanTokenSize), maxReport)
	for lines.Scan() {
		var r telemetry.Report
		switch err := json.Unmarshal(lines.Bytes(), &r); {
		case err != nil && lines.Err() != nil:
			return c.garbled(lines.Err()) // It is half of one.
		case err != nil && body.N > 0:
			return c.odd(errors.New("it has a report that cannot be read")) // How is in words of the agent, of any length.
		case err == nil:
			take(r)
		}
	}
	switch err := lines.Err(); {
	case body.N <= 0:
		return c.odd(fmt.Errorf("it has more than %d MiB of reports", maxReports>>20))
	case errors.Is(err, bufio.ErrTooLong):
		return c.odd(fmt.Errorf("it has a report of more than %d MiB", maxReport>>20))
	case err != nil:
		return c.garbled(err)
	}

	return nil
}

// Dial connects to a TCP port of a container. The connection is the caller's to close; what it writes last it may announce
// by CloseWrite.
func (c *Client) Dial(ctx context.Context, container string, port uint16) (net.Conn, error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return nil, err
	}
	// The handshake of the upgrade is given up when the context ends; what follows is not.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	upgraded, err := c.upgrade(conn, PathDial+url.PathEscape(container)+"/"+strconv.Itoa(int(port)))
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		conn.Close()

		return nil, err
	}

	return upgraded, nil
}

func (c *Client) upgrade(conn *tls.Conn, path string) (net.Conn, error) {
	req, err := http.NewRequest(http.MethodPost, "http://"+c.address+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", UpgradeDial)
	if err := req.Write(conn); err != nil {
		return nil, fmt.Errorf("%w: ask agent at %s: %w", swarmobj.ErrUnavailable, c.address, err)
	}

	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, req)
	if err != nil {
		return nil, fmt.Errorf("%w: ask agent at %s: %w", swarmobj.ErrUnavailable, c.address, err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		defer resp.Body.Close()

		return nil, c.refusal(resp)
	}

	return &upgradedConn{Conn: conn, r: r}, nil
}

// upgradedConn is a connection of which some bytes have been read already.
type upgradedConn struct {
	*tls.Conn
	r *bufio.Reader
}

// Read implements net.Conn.
func (c *upgradedConn) Read(b []byte) (int, error) { return c.r.Read(b) }

// Exchange sends a body, JSON or none, and reads JSON into answer, which may be nil.
func (c *Client) Exchange(ctx context.Context, path string, question, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return fmt.Errorf("ask agent: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.address+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("ask agent: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")

	resp, err := c.do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if answer == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 16*maxRefusal)).Decode(answer); err != nil {
		return c.garbled(err)
	}

	return nil
}

func (c *Client) get(ctx context.Context, path string, query url.Values) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.address+path+"?"+query.Encode(), nil)
	if err != nil {
		return nil, fmt.Errorf("ask agent: %w", err)
	}

	return c.do(req)
}

// do returns an answer that is none of refusal.
func (c *Client) do(req *http.Request) (*http.Response, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		if errors.Is(err, swarmobj.ErrUnavailable) {
			return nil, err
		}

		return nil, fmt.Errorf("%w: ask agent at %s: %w", swarmobj.ErrUnavailable, c.address, err)
	}
	if resp.StatusCode < http.StatusOK || resp.StatusCode >= http.StatusMultipleChoices {
		defer resp.Body.Close()

		return nil, c.refusal(resp)
	}

	return resp, nil
}

// refusal is what an answer says that is no good one.
func (c *Client) refusal(resp *http.Response) error {
	class := swarmobj.ErrUnavailable
	switch {
	case resp.StatusCode == http.StatusNotFound:
		class = swarmobj.ErrNotFound
	case resp.StatusCode < http.StatusInternalServerError && resp.StatusCode != http.StatusTooManyRequests:
		class = swarmobj.ErrRefused
	}

	var said struct{ Message string }
	data, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	if json.Unmarshal(data, &said) != nil || said.Message == "" {
		said.Message = resp.Status
	}

	return fmt.Errorf("%w: agent at %s: %s", class, c.address, said.Message)
}

func (c *Client) garbled(err error) error {
	return fmt.Errorf("%w: read answer of agent at %s: %w", swarmobj.ErrUnavailable, c.address, err)
}

func (c *Client) odd(err error) error {
	return fmt.Errorf("%w: answer of agent at %s: %w", ErrOdd, c.address, err)
}
