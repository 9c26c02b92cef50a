package smoke

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

// IssuerOf returns the output Issuer from what `osls info --verbose`, or
// `serverless info --verbose`, prints about a stack that was deployed.
func IssuerOf(info io.Reader) (string, error) {
	lines := bufio.NewScanner(info)
	isOutput := false
	for lines.Scan() {
		line := lines.Text()
		if line != "" && line[0] != ' ' { // the title of a section
			isOutput = strings.HasPrefix(line, "Stack Outputs")
			continue
		}
		if issuer, ok := strings.CutPrefix(strings.TrimSpace(line), "Issuer: "); ok && isOutput {
			return issuer, nil
		}
	}
	if err := lines.Err(); err != nil {
		return "", err
	}
	return "", errors.New("the stack has no output Issuer: was it deployed, and is this what `osls info --verbose` prints?")
}
