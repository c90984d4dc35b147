package commitstatus

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/internal/outbound"
	"github.com/dogker/dogker/reconciler/gitsync"
)

// refusal is why trying again does not help.
type refusal struct{ why string }

// Error says why, for the owner of the sync. It holds nothing of what the server has sent.
func (r *refusal) Error() string { return r.why }

// later is why it may be sent another time, and when the server wants that; zero when it has not said.
type later struct {
	why   string
	after time.Duration
}

// Error says why.
func (l *later) Error() string { return l.why }

// post sends a state once. A nil error means that the server has it; a *refusal and a *later say what else.
func post(ctx context.Context, s gitsync.CommitState) error {
	ctx, cancel := context.WithTimeout(ctx, postTimeout)
	defer cancel()

	where, err := place(s)
	if err != nil {
		return &refusal{err.Error()}
	}

	request, err := newRequest(ctx, where, s)
	if err != nil {
		return err
	}

	client, err := newClient(s)
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()

	answer, err := client.Do(request)

	switch {
	case errors.Is(err, outbound.ErrNotPublic):
		return &refusal{"the address of the server is not public"}
	case err != nil:
		return &later{why: unreachable(err)}
	}

	defer func() { _ = answer.Body.Close() }()

	// An answer that is cut off is judged by its first line all the same.
	text, _ := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))

	return judge(s, answer, text)
}

// newRequest is what each of the APIs wants to be asked.
func newRequest(ctx context.Context, where *url.URL, s gitsync.CommitState) (*http.Request, error) {
	state, token := s.State, s.Token.Reveal()
	body := map[string]string{"description": cut(s.Description, maxDescription)}
	header := http.Header{
		"Content-Type": {"application/json"}, "Accept": {"application/json"}, "User-Agent": {"dogker"},
	}

	switch gitopsv1.CommitStatusProvider(s.Provider) {
	case gitopsv1.StatusGitHub:
		header.Set("Accept", "application/vnd.github+json")
		header.Set("X-GitHub-Api-Version", "2022-11-28")
		header.Set("Authorization", "Bearer "+token)

		body["context"] = cut(s.Context, maxContext)
	case gitopsv1.StatusGitLab:
		header.Set("PRIVATE-TOKEN", token)

		body["name"] = cut(s.Context, maxContext)
		if state == gitsync.CommitFailure {
			state = "failed"
		}
	case gitopsv1.StatusGitea:
		header.Set("Authorization", "token "+token)

		body["context"] = cut(s.Context, maxContext)
	}

	body["state"] = state

	raw, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode commit status: %w", err)
	}

	request, err := http.NewRequestWithContext(ctx, http.MethodPost, where.String(), bytes.NewReader(raw))
	if err != nil {
		return nil, &refusal{"spec.commitStatus.address: it is no URL"}
	}

	request.Header = header

	return request, nil
}

// newClient is a client for one request: states are rare, and a connection that is kept is one that somebody else's server
// can hold on to.
func newClient(s gitsync.CommitState) (*http.Client, error) {
	var roots *x509.CertPool

	if len(s.CAFile) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}

		if !pool.AppendCertsFromPEM(s.CAFile) {
			return nil, &refusal{`spec.secretRef: data["ca.crt"] has no certificate in PEM`}
		}

		roots = pool
	}

	dialer := &outbound.Dialer{AllowPrivate: s.AllowPrivate, Timeout: postTimeout, Budget: outbound.NewBudget(maxRead)}

	return &http.Client{
		// A redirect is an answer like any other, and no good one: the token is for whom it was given to.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  nil, // one that the environment names would be dialed past the checks
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxAnswer,
		},
	}, nil
}

// unreachable says why there was no answer, without addresses and without what a server has sent.
func unreachable(err error) string {
	var (
		unknown   x509.UnknownAuthorityError
		wrongName x509.HostnameError
		invalid   x509.CertificateInvalidError
	)

	switch {
	case errors.As(err, &unknown):
		return "the certificate of the server is by an authority that is not trusted"
	case errors.As(err, &wrongName), errors.As(err, &invalid):
		return "the certificate of the server is not good for its name and for now"
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("the server did not answer in %s", postTimeout)
	default:
		return "the server cannot be reached, or does not speak HTTP"
	}
}

// judge says what an answer means.
func judge(s gitsync.CommitState, answer *http.Response, text []byte) error {
	code := answer.StatusCode

	switch {
	case code == http.StatusOK || code == http.StatusCreated:
		return nil
	case code == http.StatusBadRequest && s.Provider == string(gitopsv1.StatusGitLab) && strings.Contains(string(text), "Cannot transition status"):
		// GitLab's way to say that the commit has this state already.
		return nil
	case code == http.StatusTooManyRequests, code == http.StatusForbidden && limited(answer.Header):
		return &later{why: fmt.Sprintf("the server answers %d: too many requests", code), after: retryAfter(answer.Header)}
	case code >= 300 && code < 400:
		return &refusal{fmt.Sprintf("the server answers %d: it has moved; put its new place into spec.url or spec.commitStatus.address", code)}
	case code == http.StatusRequestTimeout, code == http.StatusConflict, code >= 500:
		return &later{why: fmt.Sprintf("the server answers %d", code), after: retryAfter(answer.Header)}
	}

	return &refusal{fmt.Sprintf("the server answers %d%s", code, meanings[code])}
}

// meanings are what people look for when they see one of these.
var meanings = map[int]string{
	http.StatusUnauthorized:        ": it does not know the token",
	http.StatusForbidden:           ": the token may not write statuses of commits",
	http.StatusNotFound:            ": there is no such repository, or the token may not see it",
	http.StatusUnprocessableEntity: ": it does not have the commit, or takes no more statuses of it",
}

// limited is whether GitHub says by 403 that it is asked too often: that is how its limits, primary and secondary, show.
func limited(header http.Header) bool {
	return header.Get("X-RateLimit-Remaining") == "0" || header.Get("Retry-After") != ""
}

// retryAfter is when the server wants to be asked again.
func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}

	return min(time.Duration(min(seconds, int(maxRetryAfter/time.Second)))*time.Second, maxRetryAfter)
}

// cut shortens a text to so many characters, and says that it did.
func cut(text string, length int) string {
	text = strings.ToValidUTF8(text, "")
	if utf8.RuneCountInString(text) <= length {
		return text
	}

	return string([]rune(text)[:length-1]) + "…"
}
