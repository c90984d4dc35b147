package rig

import (
	"context"
	"fmt"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
)

// Member is somebody with a token and no other rights than that gives.
type Member struct {
	// Name by which the API knows them.
	Name string

	token string
}

// Member makes a service account, unless it is there, and a token of it that outlasts a benchmark.
func (s *Server) Member(ctx context.Context, namespace, name string) (Member, error) {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	if err := s.Client.Create(ctx, account); err != nil && !apierrors.IsAlreadyExists(err) {
		return Member{}, fmt.Errorf("create service account: %w", err)
	}

	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: new(int64(6 * 3600))}}
	if err := s.Client.SubResource("token").Create(ctx, account, request); err != nil {
		return Member{}, fmt.Errorf("request token: %w", err)
	}

	return Member{Name: "system:serviceaccount:" + namespace + ":" + name, token: request.Status.Token}, nil
}

// As is a client by which the member uses the server.
func (s *Server) As(m Member) (client.Client, error) {
	return client.New(s.configOf(m), client.Options{Scheme: scheme()})
}

// RawAs is a client of the member's that leaves bodies as they are and has a connection of its own.
func (s *Server) RawAs(m Member) (rest.Interface, error) { return rawClient(s.configOf(m)) }

func (s *Server) configOf(m Member) *rest.Config {
	config := rest.AnonymousClientConfig(s.Config)
	config.BearerToken = m.token

	return config
}

// AwaitTenant waits for news of a tenant until it is Ready, and returns when that was heard. The watch that is returned
// by WatchTenant tells them.
func AwaitTenant(ctx context.Context, news <-chan *v1alpha1.Tenant) (time.Time, error) {
	last := "nothing was heard of it"
	for {
		select {
		case t, ok := <-news:
			if !ok {
				return time.Time{}, fmt.Errorf("wait for tenant: the watch has ended; %s", last)
			}
			if conditions.IsTrue(t, conditions.Ready) && t.Status.ObservedGeneration == t.Generation {
				return time.Now(), nil
			}
			if ready := conditions.Get(t, conditions.Ready); ready != nil {
				last = ready.Reason + ": " + ready.Message
			}
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("wait for tenant: %w; %s", ctx.Err(), last)
		}
	}
}

// WatchTenant begins to tell of one tenant. The caller must call stop.
func (s *Server) WatchTenant(ctx context.Context, name string) (news <-chan *v1alpha1.Tenant, stop func(), err error) {
	stream, err := s.Client.Watch(ctx, &v1alpha1.TenantList{}, client.MatchingFields{"metadata.name": name})
	if err != nil {
		return nil, nil, fmt.Errorf("watch tenant: %w", err)
	}

	out := make(chan *v1alpha1.Tenant, 64)
	go func() {
		defer close(out)
		for e := range stream.ResultChan() {
			if t, ok := e.Object.(*v1alpha1.Tenant); ok {
				select {
				case out <- t:
				default: // Whoever does not listen any more misses nothing.
				}
			}
		}
	}()

	return out, stream.Stop, nil
}

// CreateTenants creates tenants, Callers at a time, and waits until all of them are Ready.
func (s *Server) CreateTenants(ctx context.Context, tenants []*v1alpha1.Tenant) error {
	wanted := map[string]bool{}
	for _, t := range tenants {
		wanted[t.Name] = true
	}
	if err := each(ctx, Callers, tenants, func(ctx context.Context, t *v1alpha1.Tenant) error { return s.Client.Create(ctx, t) }); err != nil {
		return fmt.Errorf("create tenants: %w", err)
	}

	return poll(ctx, 100*time.Millisecond, fmt.Sprintf("wait until %d tenants are Ready", len(tenants)), func() (bool, error) {
		var list v1alpha1.TenantList
		if err := s.Client.List(ctx, &list); err != nil {
			return false, err
		}
		ready := 0
		for i := range list.Items {
			if wanted[list.Items[i].Name] && conditions.IsTrue(&list.Items[i], conditions.Ready) {
				ready++
			}
		}

		return ready == len(tenants), nil
	})
}

// Remove deletes objects, Callers at a time, and waits until none of them is there any more.
func (s *Server) Remove(ctx context.Context, objects []client.Object) error {
	err := each(ctx, Callers, objects, func(ctx context.Context, o client.Object) error {
		return client.IgnoreNotFound(s.Client.Delete(ctx, o))
	})
	if err != nil {
		return fmt.Errorf("delete: %w", err)
	}

	for _, o := range objects {
		what := fmt.Sprintf("wait until %T %q is gone", o, o.GetName())
		err := poll(ctx, 20*time.Millisecond, what, func() (bool, error) {
			err := s.Client.Get(ctx, client.ObjectKeyFromObject(o), o)

			return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
		})
		if err != nil {
			return err
		}
	}

	return nil
}
