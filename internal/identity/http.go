package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/audit"
	"k8s.io/apiserver/pkg/endpoints/request"

	v1alpha1 "github.com/dogker/dogker/api/identity/v1alpha1"
	"github.com/dogker/dogker/reconciler/logkey"
)

// Paths that are no objects. Whoever may use them is said by RBAC, as for every path; the role dogker:sign-in lets
// everybody in, because whoever logs in is nobody yet.
const (
	PathPrefix   = "/identity/v1/"
	PathLogin    = PathPrefix + "login"
	PathRefresh  = PathPrefix + "refresh"
	PathLogout   = PathPrefix + "logout"
	PathPassword = PathPrefix + "password"
	PathRegister = PathPrefix + "register"
)

const (
	// maxBody is more than the largest request needs.
	maxBody = 16 << 10
	// auditUser is the annotation of the audit log that says who logs in, before which they are nobody.
	auditUser = "identity.dogker.io/user"
)

// call is one action, with its request still to be read.
type call func(ctx context.Context, decode func(into any) error, r *http.Request) (answer any, err error)

// action reads the request of one type and does something with it.
func action[T any](do func(ctx context.Context, request T, r *http.Request) (any, error)) call {
	return func(ctx context.Context, decode func(any) error, r *http.Request) (any, error) {
		var body T
		if err := decode(&body); err != nil {
			return nil, err
		}

		return do(ctx, body, r)
	}
}

// done answers an action that has nothing to say.
func done(err error) (any, error) {
	return metav1.Status{TypeMeta: statusType, Status: metav1.StatusSuccess}, err
}

var statusType = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}

// Handler serves the paths below PathPrefix.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	for path, do := range map[string]call{
		PathLogin: action(func(ctx context.Context, b LoginRequest, r *http.Request) (any, error) {
			s.annotate(ctx, b.Username)
			return s.Login(ctx, b, r.RemoteAddr)
		}),
		PathRefresh: action(func(ctx context.Context, b RefreshRequest, _ *http.Request) (any, error) {
			s.annotateToken(ctx, b.RefreshToken)
			return s.Refresh(ctx, b)
		}),
		PathLogout: action(func(ctx context.Context, b LogoutRequest, _ *http.Request) (any, error) {
			s.annotateToken(ctx, b.Token)
			return done(s.Logout(ctx, b))
		}),
		PathPassword: action(func(ctx context.Context, b PasswordRequest, r *http.Request) (any, error) {
			s.annotate(ctx, b.Username)
			return done(s.ChangePassword(ctx, b, r.RemoteAddr))
		}),
		PathRegister: action(func(ctx context.Context, b RegisterRequest, r *http.Request) (any, error) {
			answer, err := s.Register(ctx, b, r.RemoteAddr)
			s.annotate(ctx, answer.Username)
			return answer, err
		}),
	} {
		mux.Handle(path, s.serve(path[len(PathPrefix):], http.MethodPost, do))
	}
	mux.HandleFunc(PathPrefix, func(w http.ResponseWriter, r *http.Request) {
		write(w, apierrors.NewGenericServerResponse(http.StatusNotFound, r.Method, v1alpha1.GroupVersion.WithResource("").GroupResource(), "", "there is no such path", 0, false))
	})

	return mux
}

// Subresources serves what can be done to a User or a DeployToken beside changing the object, under the paths of the
// objects, so that RBAC, audit and kubectl auth can-i know them by their names: POST users/NAME/password, DELETE
// users/NAME/sessions, POST deploytokens/NAME/token. All other requests go on to next.
func (s *Service) Subresources(next http.Handler) http.Handler {
	actions := map[string]http.Handler{
		"create users/password": s.serve("set-password", http.MethodPost, action(func(ctx context.Context, b SetPasswordRequest, r *http.Request) (any, error) {
			info, _ := request.RequestInfoFrom(ctx)
			return done(s.SetPassword(ctx, info.Name, b))
		})),
		"delete users/sessions": s.serve("end-sessions", http.MethodDelete, func(ctx context.Context, _ func(any) error, _ *http.Request) (any, error) {
			info, _ := request.RequestInfoFrom(ctx)
			return done(s.EndSessions(ctx, info.Name))
		}),
		"create deploytokens/token": s.serve("issue-token", http.MethodPost, func(ctx context.Context, _ func(any) error, _ *http.Request) (any, error) {
			info, _ := request.RequestInfoFrom(ctx)
			return s.IssueDeployToken(ctx, info.Namespace, info.Name)
		}),
	}

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info, ok := request.RequestInfoFrom(r.Context())
		if ok && info.IsResourceRequest && info.APIGroup == v1alpha1.GroupVersion.Group && info.APIVersion == v1alpha1.GroupVersion.Version && info.Name != "" {
			if do, found := actions[info.Verb+" "+info.Resource+"/"+info.Subresource]; found {
				do.ServeHTTP(w, r)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// serve makes a handler of an action.
func (s *Service) serve(name, method string, do call) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method {
			w.Header().Set("Allow", method)
			write(w, apierrors.NewMethodNotSupported(v1alpha1.GroupVersion.WithResource(name).GroupResource(), r.Method))
			return
		}
		if r.URL.Query().Has("dryRun") {
			write(w, apierrors.NewBadRequest("dryRun: nothing here can be tried without doing it"))
			return
		}
		decode := func(into any) error { return readBody(w, r, into) }
		answer, err := do(r.Context(), decode, r)
		s.Metrics.attempt(name, err)
		if err != nil {
			if status := statusOf(err); status.Code >= http.StatusInternalServerError {
				s.Log.ErrorContext(r.Context(), "A request about identity failed", logkey.Step, name, logkey.Err, err)
			}
			write(w, err)
			return
		}

		writeJSON(w, http.StatusOK, answer)
	})
}

// readBody decodes the body strictly. A form cannot be sent here by somebody's browser: it would have another type.
func readBody(w http.ResponseWriter, r *http.Request, into any) error {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		return apierrors.NewGenericServerResponse(http.StatusUnsupportedMediaType, r.Method, v1alpha1.GroupVersion.WithResource("").GroupResource(), "", "Content-Type must be application/json", 0, false)
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	err = d.Decode(into)
	if err == nil && d.Decode(new(any)) != io.EOF {
		err = errors.New("there is more after the object")
	}
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &tooLarge):
		return apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("the limit is %d bytes", maxBody))
	default:
		return apierrors.NewBadRequest("the body is not the JSON that is asked for: " + err.Error())
	}
}

// annotate tells the audit log who it is about, if there is such a User: people type passwords where names belong.
func (s *Service) annotate(ctx context.Context, name string) {
	if _, known := s.people.User(name); known {
		audit.AddAuditAnnotation(ctx, auditUser, name)
	}
}

func (s *Service) annotateToken(ctx context.Context, text string) {
	t, _ := parseToken(text)
	if have, _, ok := look[session](s.store, sessionKeys+t.id); ok {
		s.annotate(ctx, have.User)
	}
}

func statusOf(err error) metav1.Status {
	var known apierrors.APIStatus
	if errors.As(err, &known) {
		return known.Status()
	}

	return apierrors.NewInternalError(err).Status()
}

// write answers with an error as Kubernetes' API does, so that its clients understand it.
func write(w http.ResponseWriter, err error) {
	status := statusOf(err)
	status.TypeMeta = statusType
	if status.Details != nil && status.Details.RetryAfterSeconds > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(status.Details.RetryAfterSeconds)))
	}
	writeJSON(w, int(status.Code), status)
}

func writeJSON(w http.ResponseWriter, code int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	// What is answered can hold tokens.
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(answer)
}
