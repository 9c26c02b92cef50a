package connection

import (
	"maps"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

const subprotocols = "Sec-WebSocket-Protocol"

// chooseBearer has the answer to a handshake choose the subprotocol "bearer", if
// the client offered it and the function has chosen none. Beside it the client
// put its token, which must not be chosen; and a browser whose page offered
// subprotocols hangs up if none is.
func chooseBearer(out events.APIGatewayProxyResponse, event events.APIGatewayWebsocketProxyRequest) events.APIGatewayProxyResponse {
	chosen := len(lines(out.Headers, out.MultiValueHeaders)) > 0
	bearer := offeredBearer(lines(event.Headers, event.MultiValueHeaders))
	if chosen || bearer == "" {
		return out
	}
	headers := map[string]string{subprotocols: bearer}
	maps.Copy(headers, out.Headers)
	out.Headers = headers
	return out
}

// offeredBearer returns the word "bearer" as the client wrote it, in any case, or
// "" if the client did not offer it.
func offeredBearer(lines []string) string {
	for _, line := range lines {
		for protocol := range strings.SplitSeq(line, ",") {
			if word := strings.Trim(protocol, " \t"); strings.EqualFold(word, "bearer") {
				return word
			}
		}
	}
	return ""
}

// lines returns every line that names subprotocols, however the header is spelt.
func lines(headers map[string]string, multi map[string][]string) []string {
	var found []string
	for name, line := range headers {
		if strings.EqualFold(name, subprotocols) {
			found = append(found, line)
		}
	}
	for name, lines := range multi {
		if strings.EqualFold(name, subprotocols) {
			found = append(found, lines...)
		}
	}
	return found
}
