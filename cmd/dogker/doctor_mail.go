package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/dogker/dogker/internal/controlplane/datadir"
	"github.com/dogker/dogker/internal/outbox/trial"
	"github.com/dogker/dogker/internal/swarm"
)

// diagnoseMail has the server of the data directory ask its mail server: only it has the password. It says nothing where no
// server answers, which is said elsewhere, nor where no mail is to be sent.
func diagnoseMail(ctx context.Context, dataDir string) []swarm.Finding {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()

	cfg, err := clientcmd.BuildConfigFromFlags("", datadir.At(dataDir).AdminKubeconfig())
	if err != nil {
		return nil
	}
	c, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil
	}
	body, err := c.RESTClient().Get().AbsPath(trial.MailPath).DoRaw(ctx)
	if err != nil {
		return nil
	}
	var m trial.Mail
	if json.Unmarshal(body, &m) != nil || m.Server == "" {
		return nil
	}

	return []swarm.Finding{mailFinding(m)}
}

// mailFinding is what the mail server says.
func mailFinding(m trial.Mail) swarm.Finding {
	const what = "Mail"
	if m.Problem != "" {
		return swarm.Finding{
			Level: swarm.LevelWarning, What: what, Detail: fmt.Sprintf("%s cannot be used, and mail waits until it can: %s", m.Server, m.Problem),
			Remedy: "see the flags --smtp-* of dogker server, and docs/runbooks/notices.md",
		}
	}
	how := map[string]string{"starttls": "encrypted by STARTTLS", "tls": "encrypted", "none": "not encrypted"}[m.Security]
	login := "nobody logs in"
	if m.Login {
		login = "it lets us in"
	}

	return swarm.Finding{Level: swarm.LevelOK, What: what, Detail: fmt.Sprintf("%s answers, %s, and %s", m.Server, how, login)}
}
