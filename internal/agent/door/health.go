package door

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/internal/agent/pki"
)

// Healthy asks an agent on this machine whether it serves, and makes sure that it is one of this swarm.
func Healthy(ctx context.Context, address string, bundle []byte) error {
	const patience = 5 * time.Second

	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()

	config, err := pki.HealthConfig(bundle)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+address+agent.PathHealth, nil)
	if err != nil {
		return err
	}
	c := http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	resp, err := c.Do(req)
	if err != nil {
		return fmt.Errorf("ask agent: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask agent: it answers %s", resp.Status)
	}

	return nil
}
