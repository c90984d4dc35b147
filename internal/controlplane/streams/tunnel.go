package streams

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
)

// answering lets a handler that switches protocols write its answer into the connection that it takes over: that is where
// the tunnel of k8s.io/apiserver looks for it, since in Kubernetes a proxy writes there what the kubelet has answered.
func answering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&answerer{ResponseWriter: w}, r)
	})
}

type answerer struct {
	http.ResponseWriter
	switching bool
}

// WriteHeader keeps the answer that switches until there is a connection to write it to.
func (a *answerer) WriteHeader(code int) {
	if code == http.StatusSwitchingProtocols {
		a.switching = true
		return
	}
	a.ResponseWriter.WriteHeader(code)
}

// Hijack takes the connection over, and answers on it first.
func (a *answerer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, _, err := http.NewResponseController(a.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if a.switching {
		var text strings.Builder
		fmt.Fprintf(&text, "HTTP/1.1 %d %s\r\n", http.StatusSwitchingProtocols, http.StatusText(http.StatusSwitchingProtocols))
		_ = a.Header().Write(&text)
		text.WriteString("\r\n")
		if _, err := conn.Write([]byte(text.String())); err != nil {
			conn.Close()
			return nil, nil, fmt.Errorf("answer that protocols are switched: %w", err)
		}
	}

	return conn, bufio.NewReadWriter(bufio.NewReader(conn), bufio.NewWriter(conn)), nil
}
