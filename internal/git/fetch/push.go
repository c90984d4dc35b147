package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"

	"github.com/dogker/dogker/reconciler/source"
)

// ErrMoved means that somebody else has pushed to the branch since it was fetched. Whoever wants to push begins again.
var ErrMoved = errors.New("the branch has moved")

// Update moves one branch from a commit to the next.
type Update struct {
	// Branch by its short name.
	Branch string
	// Old is the commit that it has; zero for a branch that is made. New is the one that it gets, which is on top of an old one.
	Old, New plumbing.Hash
	// Pack has the objects that the server does not have yet.
	Pack []byte
}

// Push sends a commit to the repository of a request. It is never forced: the server moves the branch only if it is where it was.
// Errors are *source.Error but for ErrMoved and those of this machine.
func Push(ctx context.Context, r source.Request, dir string, u Update) error {
	r.Limits = r.Limits.OrDefault()

	e, err := parseEndpoint(r)
	if err != nil {
		return err
	}

	e.service = receivePack

	if err := checkRef(source.Ref{Branch: u.Branch}); err != nil {
		return err
	}

	s, err := connect(ctx, r, e, dir)
	if err != nil {
		return err
	}

	defer s.transport.close()

	adv, err := s.references(ctx)
	if err != nil {
		return err
	}

	if adv.References[heads+u.Branch] != u.Old {
		return ErrMoved
	}

	if !adv.Capabilities.Supports(capability.ReportStatus) {
		return lasting(source.ReasonPushFailed, "the server does not say what becomes of a push")
	}

	return s.push(ctx, adv, u)
}

// push sends the update and reads what became of it.
func (s *session) push(ctx context.Context, adv *packp.AdvRefs, u Update) error {
	req := packp.NewReferenceUpdateRequest()
	req.Commands = []*packp.Command{{Name: plumbing.ReferenceName(heads + u.Branch), Old: u.Old, New: u.New}}
	req.Packfile = io.NopCloser(bytes.NewReader(u.Pack))

	for _, c := range []capability.Capability{capability.ReportStatus, capability.Sideband64k} {
		if adv.Capabilities.Supports(c) {
			_ = req.Capabilities.Set(c) // fails for capabilities that need an argument, which these do not
		}
	}

	var question bytes.Buffer
	if err := req.Encode(&question); err != nil {
		return s.explain(ctx, err)
	}

	answer, err := s.transport.upload(ctx, question.Bytes())
	if err != nil {
		return s.explain(ctx, err)
	}

	said := &tail{}

	if req.Capabilities.Supports(capability.Sideband64k) {
		d := sideband.NewDemuxer(sideband.Sideband64k, answer)
		d.Progress = said
		answer = d
	}

	report := packp.NewReportStatus()
	if err := report.Decode(answer); err != nil {
		return s.explain(ctx, err)
	}

	// Hooks speak last.
	_, _ = io.Copy(io.Discard, io.LimitReader(answer, maxAdvertisement))

	return verdict(report, u.Branch, said.String())
}

// verdict is what a report says about the branch.
func verdict(report *packp.ReportStatus, branch, said string) error {
	refused := func(why string) error {
		if said != "" {
			why += " (" + said + ")"
		}

		e := lasting(source.ReasonPushFailed, "the server does not take the commit: %s", clean(why, maxWords))
		// Somebody may allow it without telling us.
		e.Transient = true

		return e
	}

	if report.UnpackStatus != "ok" {
		return refused(report.UnpackStatus)
	}

	for _, c := range report.CommandStatuses {
		switch {
		case c.ReferenceName.String() != heads+branch:
		case c.Status == "ok":
			return nil
		case movedMeanwhile(c.Status):
			return ErrMoved
		default:
			return refused(c.Status)
		}
	}

	return refused("it says nothing about the branch")
}

// movedMeanwhile tells from the words of servers that another push was first. A server that has other words for it is believed to
// refuse, and asked again at the next visit.
func movedMeanwhile(status string) bool {
	for _, words := range []string{"fetch first", "non-fast-forward", "stale info", "failed to update ref", "cannot lock ref", "failed to lock", "incorrect old value", "reference already exists"} {
		if strings.Contains(status, words) {
			return true
		}
	}

	return false
}
