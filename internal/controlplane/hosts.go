package controlplane

import (
	"net"
	"os"
	"strconv"
)

// servingHosts are the names and addresses that the serving certificate must hold: those that were asked for, the one it
// listens on, and those by which the machine itself and clients beside it say where it is.
func servingHosts(listen net.IP, more []string) []string {
	hosts := append([]string{"localhost", "127.0.0.1", "::1", "kubernetes", "kubernetes.default", "kubernetes.default.svc"}, more...)
	if name, err := os.Hostname(); err == nil {
		hosts = append(hosts, name)
	}
	if !listen.IsUnspecified() {
		return append(hosts, listen.String())
	}

	for _, ip := range machineAddresses() {
		hosts = append(hosts, ip.String())
	}

	return hosts
}

// machineAddresses are the addresses by which other machines reach this one.
func machineAddresses() []net.IP {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}

	var ips []net.IP
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			ips = append(ips, n.IP)
		}
	}

	return ips
}

// advertised is the address that discovery documents name. Nothing depends on it but their readers.
func advertised(listen net.IP) net.IP {
	if !listen.IsUnspecified() {
		return listen
	}
	if ips := machineAddresses(); len(ips) > 0 {
		return ips[0]
	}

	return net.IPv4(127, 0, 0, 1)
}

// localURL is how a client on this machine reaches the API.
func localURL(addr *net.TCPAddr) string {
	host := addr.IP.String()
	if addr.IP.IsUnspecified() {
		host = "127.0.0.1"
	}

	return "https://" + net.JoinHostPort(host, strconv.Itoa(addr.Port))
}
