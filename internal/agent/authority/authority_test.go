package authority

import (
	"bytes"
	"log/slog"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/dogker/dogker/internal/agent/pki"
)

func keeper(c client.Client) Keeper {
	return Keeper{Client: c, Namespace: "dogker-system", Identity: pki.NewIdentity(), Log: slog.New(slog.DiscardHandler)}
}

func store(t *testing.T) client.Client {
	t.Helper()

	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}

	return fake.NewClientBuilder().WithScheme(scheme).Build()
}

func bundle(t *testing.T, k Keeper) []byte {
	t.Helper()

	b, known := k.Identity.Bundle()
	if !known {
		t.Fatal("the authority is not known")
	}

	return b
}

// TestServersAgree lets many servers start at once, each of which finds no authority.
func TestServersAgree(t *testing.T) {
	c := store(t)
	keepers := make([]Keeper, 8)
	var wg sync.WaitGroup
	for i := range keepers {
		keepers[i] = keeper(c)
		wg.Go(func() {
			if err := keepers[i].Keep(t.Context(), time.Now()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()

	for i := range keepers {
		if !bytes.Equal(bundle(t, keepers[i]), bundle(t, keepers[0])) {
			t.Errorf("server %d has another authority than the first", i)
		}
	}
}

func TestAuthorityIsReplaced(t *testing.T) {
	c := store(t)
	first, second := keeper(c), keeper(c)
	now := time.Now()
	keep := func(k Keeper, at time.Time) []byte {
		t.Helper()
		if err := k.Keep(t.Context(), at); err != nil {
			t.Fatal(err)
		}

		return bundle(t, k)
	}

	made := keep(first, now)
	if !bytes.Equal(keep(first, now.Add(8*365*24*time.Hour)), made) {
		t.Error("it was replaced in the middle of its life")
	}
	renewed := keep(first, now.Add(9*365*24*time.Hour+200*24*time.Hour))
	if bytes.Equal(renewed, made) {
		t.Error("it was not replaced at the end of its life")
	}
	if !bytes.Equal(keep(second, now.Add(10*365*24*time.Hour-100*24*time.Hour)), renewed) {
		t.Error("another server has another one")
	}

	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "dogker-system", Name: Name}}
	if err := c.Delete(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(keep(second, now), renewed) {
		t.Error("it was not replaced after its Secret was deleted")
	}
}

func TestBrokenSecretIsLeftAlone(t *testing.T) {
	c := store(t)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "dogker-system", Name: Name}, Data: map[string][]byte{"ca.crt": []byte("no")}}
	if err := c.Create(t.Context(), secret); err != nil {
		t.Fatal(err)
	}

	if err := keeper(c).Keep(t.Context(), time.Now()); err == nil {
		t.Error("a Secret that cannot be read was taken, want an error that says what to do")
	}
}
