package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"

	"github.com/dogker/dogker/internal/outbound"
	"github.com/dogker/dogker/reconciler/source"
)

// connectTimeout is how long a connection may take to be made.
const connectTimeout = 15 * time.Second

// maxAdvertisement is how much a server may say about its references. The largest repositories there are say a quarter of it.
const maxAdvertisement = 32 << 20

// transport is a way to talk to a service of Git. Calls come in this order, each at most once.
type transport interface {
	// advertisement is what the server has. It is read to the end before upload is called, unless upload is not called.
	advertisement(ctx context.Context) (io.Reader, error)
	// upload sends a request and returns the answer.
	upload(ctx context.Context, request []byte) (io.Reader, error)
	// close ends it; it can be called at any time.
	close()
}

// session is one conversation with a server.
type session struct {
	endpoint  endpoint
	limits    source.Limits
	budget    *outbound.Budget
	transport transport
}

// connect prepares a conversation. For https nothing is sent before the first question.
func connect(ctx context.Context, r source.Request, e endpoint, dir string) (*session, error) {
	s := &session{endpoint: e, limits: r.Limits, budget: outbound.NewBudget(r.Limits.CloneBytes)}
	dialer := &outbound.Dialer{AllowPrivate: r.AllowPrivateAddresses, Timeout: connectTimeout, Budget: s.budget}

	var err error
	if e.url.Scheme == "ssh" {
		s.transport, err = dialSSH(ctx, r.Auth, e, dialer, dir)
	} else {
		s.transport, err = newHTTP(r.Auth, e, dialer)
	}

	if err != nil {
		return nil, s.explain(ctx, err)
	}

	return s, nil
}

// references asks the server what it has.
func (s *session) references(ctx context.Context) (*packp.AdvRefs, error) {
	r, err := s.transport.advertisement(ctx)
	if err != nil {
		return nil, s.explain(ctx, err)
	}

	limited := &io.LimitedReader{R: r, N: maxAdvertisement}
	adv := packp.NewAdvRefs()

	if err := adv.Decode(limited); err != nil && !errors.Is(err, packp.ErrEmptyAdvRefs) {
		if limited.N <= 0 {
			return nil, lasting(source.ReasonLimitExceeded, "the server lists more references than are read")
		}

		return nil, s.explain(ctx, err)
	}

	// A repository without a commit is a valid one, until somebody pushes.
	if len(adv.References) == 0 && adv.Head == nil {
		e := lasting(source.ReasonReferenceNotFound, "the repository is empty")
		e.Transient = true

		return nil, e
	}

	if format := adv.Capabilities.Get(capability.ObjectFormat); len(format) > 0 && format[0] != "sha1" {
		return nil, lasting(source.ReasonGitOperationFailed, "the repository's object format is %q; sha1 is what can be read", clean(format[0], 20))
	}

	return adv, nil
}

// pack asks for commits and returns the pack that holds them.
func (s *session) pack(ctx context.Context, adv *packp.AdvRefs, t target) (io.Reader, error) {
	req := packp.NewUploadPackRequest()
	req.Wants = t.wants

	for _, c := range []capability.Capability{capability.Sideband64k, capability.OFSDelta, capability.NoProgress} {
		if adv.Capabilities.Supports(c) {
			_ = req.Capabilities.Set(c) // fails for capabilities that need an argument, which these do not
		}
	}

	if !t.history && adv.Capabilities.Supports(capability.Shallow) {
		_ = req.Capabilities.Set(capability.Shallow)
		req.Depth = packp.DepthCommits(1)
	}

	var question bytes.Buffer

	if err := req.UploadRequest.Encode(&question); err != nil {
		return nil, s.explain(ctx, err)
	}

	if err := pktline.NewEncoder(&question).EncodeString("done\n"); err != nil {
		return nil, s.explain(ctx, err)
	}

	answer, err := s.transport.upload(ctx, question.Bytes())
	if err != nil {
		return nil, s.explain(ctx, err)
	}

	resp := packp.NewUploadPackResponse(req)
	if err := resp.Decode(io.NopCloser(answer)); err != nil {
		return nil, s.explain(ctx, err)
	}

	if req.Capabilities.Supports(capability.Sideband64k) {
		return sideband.NewDemuxer(sideband.Sideband64k, resp), nil
	}

	return resp, nil
}
