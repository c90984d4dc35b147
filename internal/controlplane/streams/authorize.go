package streams

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/endpoints/filters"
	"k8s.io/apiserver/pkg/endpoints/request"
)

// mayCreate makes sure that who opens a stream into a container may create it. SPDY is asked for by POST, which is that;
// WebSocket is asked for by GET, and whoever may only look is not to get in by it.
func (s *Server) mayCreate(ctx context.Context) error {
	const verb = "create"

	info, ok := request.RequestInfoFrom(ctx)
	if !ok {
		return apierrors.NewInternalError(errors.New("the request says nothing of itself"))
	}
	if info.Verb == verb {
		return nil
	}
	attributes, err := filters.GetAuthorizerAttributes(ctx)
	if err != nil {
		return apierrors.NewInternalError(fmt.Errorf("read what is asked for: %w", err))
	}
	decision, reason, err := s.Authorizer.Authorize(ctx, asVerb{Attributes: attributes, verb: verb})
	if err != nil {
		return apierrors.NewInternalError(fmt.Errorf("ask whether this is allowed: %w", err))
	}
	if decision != authorizer.DecisionAllow {
		resource := schema.GroupResource{Group: info.APIGroup, Resource: info.Resource + "/" + info.Subresource}
		return apierrors.NewForbidden(resource, info.Name, fmt.Errorf("user %q may not create it: %s", attributes.GetUser().GetName(), reason))
	}

	return nil
}

// asVerb is what is asked for, by another verb.
type asVerb struct {
	authorizer.Attributes
	verb string
}

func (a asVerb) GetVerb() string { return a.verb }
