package controlplane

import (
	"net/http"
	"strings"
)

// Receive has everything below a prefix answered by h, before anybody is asked who they are: nothing of Kubernetes' filters
// applies, neither authentication nor authorization, neither limits nor the audit log. It is for senders that prove in
// another way what they may, and h has to limit strangers itself. It must be called before Run.
func (s *Server) Receive(prefix string, h http.Handler) {
	server := s.chain.front.GenericAPIServer.Handler
	api := server.FullHandlerChain

	server.FullHandlerChain = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, prefix) {
			h.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
}

// Handle has a path answered by h, behind all of Kubernetes' filters: who asks is known, and may do so by RBAC on the path. It must
// be called before Run.
func (s *Server) Handle(path string, h http.Handler) {
	s.chain.front.GenericAPIServer.Handler.NonGoRestfulMux.Handle(path, h)
}
