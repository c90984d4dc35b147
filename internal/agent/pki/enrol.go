package pki

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Candidate is an agent as Swarm knows it.
type Candidate struct {
	// Node is the ID of its node, and Address where it listens: HOST:PORT.
	Node, Address string
	// Container is the ID of its container, as the status of the task says that runs on that node.
	Container string
}

// Connect returns a client of the agent of a node, and enrols it first if that has not been done, or renews what is about to
// expire. The client is pinned to the node, and the caller closes it.
func (i *Identity) Connect(ctx context.Context, c Candidate) (*agent.Client, agent.About, error) {
	client := agent.NewClient(c.Address, func() *tls.Config { return i.ClientConfig(c.Node) })

	about, err := client.About(ctx)
	if Unenrolled(err) {
		if err = i.Enrol(ctx, c); err == nil {
			about, err = client.About(ctx)
		}
	}
	if err == nil && i.Due(about.Expires) {
		if err = i.Renew(ctx, client, c.Node); err == nil {
			// Connections made before show the old certificate.
			client.Close()
			about, err = client.About(ctx)
		}
	}
	if err != nil {
		client.Close()

		return nil, agent.About{}, err
	}

	return client, about, nil
}

// Enrol makes the agent that Swarm runs on a node that node's agent. It fails with ErrRefused when who answers is not the
// container that Swarm says it is.
func (i *Identity) Enrol(ctx context.Context, c Candidate) error {
	client := agent.NewClient(c.Address, func() *tls.Config { return i.config(bootstrapName) })
	defer client.Close()

	return i.exchange(ctx, client, c.Node, func(r Request, key any) error { return i.vouch(c, r, key) })
}

// Renew certifies an agent for another day, over a connection that is pinned to its node. Its key stays the same.
func (i *Identity) Renew(ctx context.Context, client *agent.Client, node string) error {
	return i.exchange(ctx, client, node, func(Request, any) error { return nil })
}

// exchange asks for a request, has it judged, and answers with a certificate.
func (i *Identity) exchange(ctx context.Context, client *agent.Client, node string, judge func(Request, any) error) error {
	var asked Request
	if err := client.Exchange(ctx, agent.PathRequest, struct{}{}, &asked); err != nil {
		return fmt.Errorf("enrol agent of node %q: %w", node, err)
	}

	cert, err := i.answer(node, asked, judge)
	if err != nil {
		return fmt.Errorf("%w: enrol agent of node %q: %w", swarmobj.ErrRefused, node, err)
	}
	if err := client.Exchange(ctx, agent.PathCertificate, Certificate{encodeCert(cert)}, nil); err != nil {
		return fmt.Errorf("enrol agent of node %q: %w", node, err)
	}

	return nil
}

func (i *Identity) answer(node string, asked Request, judge func(Request, any) error) (*x509.Certificate, error) {
	der, _, err := decode(asked.Request, blockRequest)
	if err != nil {
		return nil, fmt.Errorf("read request: %w", err)
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, fmt.Errorf("read request: %w", err)
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, fmt.Errorf("check request: %w", err)
	}
	if asked.Node != node {
		return nil, fmt.Errorf("the agent that answers there is of node %q", asked.Node)
	}
	if err := judge(asked, csr.PublicKey); err != nil {
		return nil, err
	}

	i.mu.Lock()
	defer i.mu.Unlock()

	if i.authority == nil {
		return nil, errNoAuthority
	}

	return i.authority.issue(nodeName(node), csr.PublicKey, x509.ExtKeyUsageServerAuth, i.now())
}

// vouch judges a request by what Swarm says. A container has one key for all of its life: a second one is somebody else's.
func (i *Identity) vouch(c Candidate, r Request, key any) error {
	if c.Container == "" {
		return errors.New("it is not known from Swarm in which container it runs")
	}
	proof, err := proofOf(c.Container, c.Node, key)
	if err != nil {
		return err
	}
	if !hmac.Equal(proof, r.Proof) {
		return errors.New("who answers there is not the container that Swarm runs on that node")
	}

	public, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return fmt.Errorf("encode public key: %w", err)
	}
	said := vouched{container: c.Container, key: sha256.Sum256(public)}

	i.mu.Lock()
	defer i.mu.Unlock()

	if before, known := i.vouched[c.Node]; known && before.container == said.container && before.key != said.key {
		return errors.New("its container has been certified for another key before")
	}
	i.vouched[c.Node] = said

	return nil
}
