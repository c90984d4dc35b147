package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"

	"github.com/containerd/errdefs/pkg/errhttp"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"

	fake "github.com/dogker/dogker/internal/fake/swarm"
)

// handler answers for one connection to the swarm in memory.
type handler struct{ client *fake.Client }

// versioned is the version of the API in front of every path.
var versioned = regexp.MustCompile(`^/v[0-9.]+/`)

// Handler serves the swarm over HTTP.
func Handler(c *fake.Client) http.Handler {
	h := handler{client: c}
	mux := http.NewServeMux()

	h.systems(mux)
	h.services(mux)
	h.contents(mux)
	h.networks(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, nil, fake.ErrorResponse(http.StatusNotImplemented, r.Method+" "+r.URL.Path+" is not modelled"))
	})

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if prefix := versioned.FindString(r.URL.Path); prefix != "" {
			r.URL.Path = r.URL.Path[len(prefix)-1:]
		}
		mux.ServeHTTP(w, r)
	})
}

// answer writes a value, or an error as the engine does.
func answer(w http.ResponseWriter, status int, v any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(statusOf(err))
		_ = json.NewEncoder(w).Encode(map[string]string{"message": textOf(err)})

		return
	}
	w.WriteHeader(status)
	if v != nil {
		_ = json.NewEncoder(w).Encode(v)
	}
}

// statusOf is the HTTP status that an error of the fake stands for.
func statusOf(err error) int {
	for _, status := range []int{
		http.StatusNotFound, http.StatusConflict, http.StatusBadRequest, http.StatusNotImplemented, http.StatusServiceUnavailable,
	} {
		if errors.Is(err, errhttp.ToNative(status)) {
			return status
		}
	}

	return http.StatusInternalServerError
}

// textOf is what the engine says, without what its client puts before it.
func textOf(err error) string {
	const preface = "Error response from daemon: "
	text := err.Error()
	if len(text) > len(preface) && text[:len(preface)] == preface {
		return text[len(preface):]
	}

	return text
}

// get answers a question without an argument.
func get[T any](ask func(context.Context) (T, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := ask(r.Context())
		answer(w, http.StatusOK, v, err)
	}
}

// list answers for all objects that filters let through.
func list[T any](ask func(context.Context, *http.Request, filters.Args) ([]T, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		args, err := filters.FromJSON(r.URL.Query().Get("filters"))
		if err != nil {
			answer(w, 0, nil, fake.ErrorResponse(http.StatusBadRequest, err.Error()))
			return
		}
		v, err := ask(r.Context(), r, args)
		if v == nil {
			v = []T{}
		}
		answer(w, http.StatusOK, v, err)
	}
}

// create takes in a body.
func create[B, T any](do func(context.Context, *http.Request, B) (T, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body B
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			answer(w, 0, nil, fake.ErrorResponse(http.StatusBadRequest, fmt.Sprintf("read body: %v", err)))
			return
		}
		v, err := do(r.Context(), r, body)
		answer(w, http.StatusCreated, v, err)
	}
}

func inspect[T any](ask func(context.Context, string) (T, []byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, _, err := ask(r.Context(), r.PathValue("id"))
		answer(w, http.StatusOK, v, err)
	}
}

func remove(do func(context.Context, string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusNoContent, nil, do(r.Context(), r.PathValue("id")))
	}
}

func (h handler) systems(mux *http.ServeMux) {
	mux.HandleFunc("/_ping", func(w http.ResponseWriter, r *http.Request) {
		p, err := h.client.Ping(r.Context())
		w.Header().Set("Api-Version", p.APIVersion)
		w.Header().Set("Ostype", p.OSType)
		answer(w, http.StatusOK, "OK", err)
	})
	mux.HandleFunc("GET /info", get(h.client.Info))
	mux.HandleFunc("GET /version", get(h.client.ServerVersion))
	mux.HandleFunc("GET /swarm", get(h.client.SwarmInspect))
	mux.HandleFunc("GET /events", h.events)
	mux.HandleFunc("GET /nodes", list(func(ctx context.Context, _ *http.Request, f filters.Args) ([]swarm.Node, error) {
		return h.client.NodeList(ctx, swarm.NodeListOptions{Filters: f})
	}))
	mux.HandleFunc("GET /nodes/{id}", inspect(h.client.NodeInspectWithRaw))
	mux.HandleFunc("GET /images/{id...}", func(w http.ResponseWriter, r *http.Request) {
		ref := r.PathValue("id")
		v, err := h.client.ImageInspect(r.Context(), ref[:max(len(ref)-len("/json"), 0)])
		answer(w, http.StatusOK, v, err)
	})
	mux.HandleFunc("GET /containers/{id}/json", func(w http.ResponseWriter, r *http.Request) {
		v, err := h.client.ContainerInspect(r.Context(), r.PathValue("id"))
		answer(w, http.StatusOK, v, err)
	})
}

// events streams them until the client goes away, or the stream ends.
func (h handler) events(w http.ResponseWriter, r *http.Request) {
	args, err := filters.FromJSON(r.URL.Query().Get("filters"))
	if err != nil {
		answer(w, 0, nil, fake.ErrorResponse(http.StatusBadRequest, err.Error()))
		return
	}
	messages, errs := h.client.Events(r.Context(), events.ListOptions{Filters: args})
	w.Header().Set("Content-Type", "application/json")
	flush := http.NewResponseController(w)
	_ = flush.Flush()

	for {
		select {
		case m := <-messages:
			if json.NewEncoder(w).Encode(m) != nil || flush.Flush() != nil {
				return
			}
		case <-errs:
			return
		}
	}
}

func (h handler) services(mux *http.ServeMux) {
	c := h.client
	mux.HandleFunc("GET /services", list(func(ctx context.Context, r *http.Request, f filters.Args) ([]swarm.Service, error) {
		return c.ServiceList(ctx, swarm.ServiceListOptions{Filters: f, Status: r.URL.Query().Get("status") == "true"})
	}))
	mux.HandleFunc("GET /services/{id}", inspect(func(ctx context.Context, id string) (swarm.Service, []byte, error) {
		return c.ServiceInspectWithRaw(ctx, id, swarm.ServiceInspectOptions{})
	}))
	mux.HandleFunc("POST /services/create", create(func(ctx context.Context, _ *http.Request, s swarm.ServiceSpec) (swarm.ServiceCreateResponse, error) {
		return c.ServiceCreate(ctx, s, swarm.ServiceCreateOptions{})
	}))
	mux.HandleFunc("POST /services/{id}/update", create(func(ctx context.Context, r *http.Request, s swarm.ServiceSpec) (swarm.ServiceUpdateResponse, error) {
		version, err := strconv.ParseUint(r.URL.Query().Get("version"), 10, 64)
		if err != nil {
			return swarm.ServiceUpdateResponse{}, fake.ErrorResponse(http.StatusBadRequest, "invalid service version")
		}

		return c.ServiceUpdate(ctx, r.PathValue("id"), swarm.Version{Index: version}, s, swarm.ServiceUpdateOptions{})
	}))
	mux.HandleFunc("DELETE /services/{id}", remove(c.ServiceRemove))
	mux.HandleFunc("GET /tasks", list(func(ctx context.Context, _ *http.Request, f filters.Args) ([]swarm.Task, error) {
		return c.TaskList(ctx, swarm.TaskListOptions{Filters: f})
	}))
}

func (h handler) contents(mux *http.ServeMux) {
	c := h.client
	mux.HandleFunc("GET /secrets", list(func(ctx context.Context, _ *http.Request, f filters.Args) ([]swarm.Secret, error) {
		return c.SecretList(ctx, swarm.SecretListOptions{Filters: f})
	}))
	mux.HandleFunc("GET /secrets/{id}", inspect(c.SecretInspectWithRaw))
	mux.HandleFunc("POST /secrets/create", create(func(ctx context.Context, _ *http.Request, s swarm.SecretSpec) (swarm.SecretCreateResponse, error) {
		return c.SecretCreate(ctx, s)
	}))
	mux.HandleFunc("DELETE /secrets/{id}", remove(c.SecretRemove))

	mux.HandleFunc("GET /configs", list(func(ctx context.Context, _ *http.Request, f filters.Args) ([]swarm.Config, error) {
		return c.ConfigList(ctx, swarm.ConfigListOptions{Filters: f})
	}))
	mux.HandleFunc("GET /configs/{id}", inspect(c.ConfigInspectWithRaw))
	mux.HandleFunc("POST /configs/create", create(func(ctx context.Context, _ *http.Request, s swarm.ConfigSpec) (swarm.ConfigCreateResponse, error) {
		return c.ConfigCreate(ctx, s)
	}))
	mux.HandleFunc("DELETE /configs/{id}", remove(c.ConfigRemove))
}

func (h handler) networks(mux *http.ServeMux) {
	c := h.client
	mux.HandleFunc("GET /networks", list(func(ctx context.Context, _ *http.Request, f filters.Args) ([]network.Summary, error) {
		return c.NetworkList(ctx, network.ListOptions{Filters: f})
	}))
	mux.HandleFunc("GET /networks/{id}", inspect(func(ctx context.Context, id string) (network.Inspect, []byte, error) {
		v, err := c.NetworkInspect(ctx, id, network.InspectOptions{})
		return v, nil, err
	}))
	mux.HandleFunc("POST /networks/create", create(func(ctx context.Context, _ *http.Request, r network.CreateRequest) (network.CreateResponse, error) {
		return c.NetworkCreate(ctx, r.Name, r.CreateOptions)
	}))
	mux.HandleFunc("DELETE /networks/{id}", remove(c.NetworkRemove))
}
