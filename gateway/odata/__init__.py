"""The language of OData: addresses, query options, filters, cursors. Pure: no I/O, no resource."""
