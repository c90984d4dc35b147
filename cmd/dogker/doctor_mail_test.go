package main

import (
	"strings"
	"testing"

	"github.com/dogker/dogker/internal/outbox/trial"
	"github.com/dogker/dogker/internal/swarm"
)

func TestMailFinding(t *testing.T) {
	for name, tc := range map[string]struct {
		mail  trial.Mail
		level swarm.Level
		says  string
	}{
		"Well":      {trial.Mail{Server: "mail.example.com:587", Security: "starttls", Login: true}, swarm.LevelOK, "mail.example.com:587 answers, encrypted by STARTTLS, and it lets us in"},
		"NoLogin":   {trial.Mail{Server: "127.0.0.1:25", Security: "none"}, swarm.LevelOK, "not encrypted, and nobody logs in"},
		"CannotUse": {trial.Mail{Server: "mail.example.com:587", Security: "starttls", Problem: "535 no"}, swarm.LevelWarning, "mail waits until it can: 535 no"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := mailFinding(tc.mail); got.Level != tc.level || !strings.Contains(got.Detail, tc.says) {
				t.Errorf("got %+v, want %s in it, at level %s", got, tc.says, tc.level)
			}
		})
	}
}
