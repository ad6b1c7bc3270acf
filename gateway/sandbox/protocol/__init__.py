"""HTTP and OData: routing, $batch, query options, filters, faults on demand."""
