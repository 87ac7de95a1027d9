// The example client of the streaming documentation, as a page would use it: the types are taken out, and nothing else
// is changed.

class IngressStreamManager {
  eventSource = null;
  reconnectAttempts = 0;
  maxReconnectAttempts = 10;

  connect(namespaces) {
    const params = new URLSearchParams({
      namespaces: namespaces.join(','),
    });

    this.eventSource = new EventSource(`/api/ingresses/stream?${params}`);

    this.eventSource.onmessage = (event) => {
      const { type, data } = JSON.parse(event.data);
      this.handleEvent(type, data);
      this.reconnectAttempts = 0; // Reset on successful message
    };

    this.eventSource.onerror = () => {
      this.handleError();
    };
  }

  handleEvent(type, data) {
    switch (type) {
      case 'ingressAdded':
        console.log('Ingress added:', data);
        break;
      case 'ingressModified':
        console.log('Ingress modified:', data);
        break;
      case 'ingressDeleted':
        console.log('Ingress deleted:', data);
        break;
      case 'error':
        console.error('Stream error:', data);
        break;
    }
  }

  handleError() {
    this.disconnect();

    if (this.reconnectAttempts < this.maxReconnectAttempts) {
      const delay = Math.min(1000 * Math.pow(2, this.reconnectAttempts), 30000);
      console.log(`Reconnecting in ${delay}ms...`);

      setTimeout(() => {
        this.reconnectAttempts++;
        this.connect([]);
      }, delay);
    }
  }

  disconnect() {
    if (this.eventSource) {
      this.eventSource.close();
      this.eventSource = null;
    }
  }
}
