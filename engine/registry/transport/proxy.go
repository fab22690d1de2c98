package transport

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// onConnectResponse returns an error for a proxy's refusal of a CONNECT. Without it
// net/http keeps only the text of the response.
func onConnectResponse(_ context.Context, proxy *url.URL, connect *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	return &ProxyError{
		URL:    &url.URL{Scheme: "https", Host: connect.Host},
		Proxy:  proxy.Host,
		Status: resp.StatusCode,
		Err:    fmt.Errorf("the proxy %s answered %d %s", proxy.Host, resp.StatusCode, strings.ToLower(http.StatusText(resp.StatusCode))),
	}
}

// blameProxy wraps the error of a response in a ProxyError if a proxy or a network login
// may have sent it.
func blameProxy(resp *http.Response, page bool, err error) error {
	e := &ProxyError{URL: Redacted(resp.Request.URL), Status: resp.StatusCode, Err: err}
	if proxy, _ := http.ProxyFromEnvironment(resp.Request); proxy != nil {
		e.Proxy = proxy.Host
	}
	switch status := resp.StatusCode; {
	case status == http.StatusProxyAuthRequired, status == http.StatusNetworkAuthenticationRequired, page && status/100 == 2:
		return e
	case page && e.Proxy != "" && (status == http.StatusForbidden || status == http.StatusUnavailableForLegalReasons):
		return e
	}
	return err
}

// rejectPage returns an error, and closes the response, if a web page comes instead of
// JSON: a network that requires a login answers so.
func rejectPage(resp *http.Response) error {
	first := resp.Request
	for first.Response != nil {
		first = first.Response.Request
	}
	switch kind(first) {
	case "blob", "upload", "referrers": // some say so that they have no such API
		return nil
	}
	if resp.StatusCode/100 != 2 || !claimsHTML(resp) || resp.Body == http.NoBody {
		return nil
	}
	body := bufio.NewReader(resp.Body)
	start, _ := body.Peek(sniffLength)
	if !isHTML(start) {
		resp.Body = &peekedBody{body, resp.Body}
		return nil
	}
	resp.Body.Close()
	return blameProxy(resp, true, fmt.Errorf("%s answered with a web page", resp.Request.URL.Host))
}

// claimsHTML reports whether the header says HTML, for a response without a body.
func claimsHTML(resp *http.Response) bool {
	return strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html")
}

// sniffLength is long enough to recognize a web page.
const sniffLength = 64

// isHTML tells HTML from JSON.
func isHTML(start []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(start, " \t\r\n\ufeff"), []byte("<"))
}

// peekedBody is a body whose beginning has been peeked at.
type peekedBody struct {
	io.Reader
	io.Closer
}
