// Notes is the Lambda function of package notebook. The route of it, with the
// authorizer, stands in serverless.yml.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/gatehouse-auth/gatehouse/examples/notes/notebook"
)

func main() {
	lambda.Start((&notebook.Notebook{}).Handle)
}
