package controlplane

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"

	"k8s.io/client-go/dynamic"

	"github.com/dogker/dogker/internal/controlplane/books"
	"github.com/dogker/dogker/internal/ledger"
)

// exportSettings are what exports of ledgers say beside their entries.
type exportSettings struct {
	provider, region string
	log              *slog.Logger
}

// publish lets those read the ledger of a tenant who may. Every server does, whoever leads and writes.
func (g *generic) publish(s peopleSettings) error {
	client, err := dynamic.NewForConfig(ownClient(g.config.LoopbackClientConfig))
	if err != nil {
		return fmt.Errorf("create client: %w", err)
	}
	g.books = books.New(books.Options{
		Books:    ledger.New(s.etcd, time.Now),
		Accounts: books.NewAccounts(client),
		Provider: cmp.Or(s.exports.provider, title),
		Region:   s.exports.region,
		Log:      s.exports.log,
	})

	return nil
}
